"""The single checks behind ``millhand check``: each looks at one thing and returns problems."""
