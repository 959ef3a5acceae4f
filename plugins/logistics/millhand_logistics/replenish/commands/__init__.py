"""The words for stock on the command line."""
