"""Words for the command line."""
