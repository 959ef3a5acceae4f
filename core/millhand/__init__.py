"""Millhand: industrial agents for small factories, distilled models with hands on hardware."""

__version__ = "0.1.0"
