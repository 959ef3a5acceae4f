"""The command line words of inspection."""
