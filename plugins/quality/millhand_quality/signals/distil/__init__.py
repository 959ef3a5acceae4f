"""Distilling a classifier of curves. The only place here for torch."""
