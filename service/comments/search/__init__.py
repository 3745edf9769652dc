"""Comments by their words."""
