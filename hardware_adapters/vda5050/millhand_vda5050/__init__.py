"""VDA 5050 vehicles for Millhand."""
