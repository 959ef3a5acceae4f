"""Schedules: one simulation that judges every candidate, and those who supply candidates."""
