"""Simulated plants, PLCs and cameras for Millhand."""
