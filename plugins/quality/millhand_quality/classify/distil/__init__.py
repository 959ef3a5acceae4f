"""Making the classifier: needs torch, which running it does not."""
