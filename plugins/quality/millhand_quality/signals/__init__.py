"""Of what kind is a measured curve: the agent ``quality.signals``, and how to distil for it."""
