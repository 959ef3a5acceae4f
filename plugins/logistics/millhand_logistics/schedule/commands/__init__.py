"""The plugin's words on the command line."""
