"""The words for routes on the command line."""
