"""Teachers that most plants can use; plugins register them under names of theirs."""
