"""Short texts to the people who can act on them: tickets, fault reports, shift-log lines."""
