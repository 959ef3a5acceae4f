"""The student that forecasts many articles at once, and how it is made."""
