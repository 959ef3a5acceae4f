"""Routes: milk runs and deliveries with time windows, on PyVRP."""
