"""A business paper as data: one model for every form it may arrive in."""
