"""Plugins: hook specifications, discovery by entry points, the report of what was found."""
