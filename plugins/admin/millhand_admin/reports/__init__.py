"""Reports from the journal: every sentence carries the ids of the entries that it tells of."""
