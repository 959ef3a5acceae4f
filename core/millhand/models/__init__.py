"""The model package: manifest, verification, sessions on accelerators."""
