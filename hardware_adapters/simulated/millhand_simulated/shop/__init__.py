"""A simulated job shop: one for each planner, all with the same orders, times and breakdowns."""
