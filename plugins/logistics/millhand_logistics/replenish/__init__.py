"""Stock: forecasts with their spread, reorder points, and what to order."""
