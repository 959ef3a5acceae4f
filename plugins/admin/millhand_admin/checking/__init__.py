"""Is the paper right in itself? Sums, taxes, dates, tax numbers, units, duplicates."""
