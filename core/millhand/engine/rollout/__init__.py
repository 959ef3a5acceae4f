"""Which model decides: a second one in the shadow, as canary, promoted, and the way back."""
