"""Which defect is it: the agent ``quality.classify`` and how its model is distilled."""
