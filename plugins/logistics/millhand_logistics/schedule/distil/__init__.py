"""Teaching the dispatching network: random shops, self-labelling, export."""
