"""The pages of the reference that are generated, one module each."""
