"""Pictures to words: which recogniser, on what picture, and whether it can write the language."""
