"""The few-shot inspector: fitted on good pictures, one graph at run time."""
