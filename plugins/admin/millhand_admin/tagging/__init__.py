"""From pages to values: candidates by pattern, and a small tagger that chooses among them."""
