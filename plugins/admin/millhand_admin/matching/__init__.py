"""Does the paper fit the others? Order, receipt of goods and invoice, line by line."""
