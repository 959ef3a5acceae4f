"""Resident worker processes: an agent and its models live together behind one boundary."""
