"""What readers do about a comment without writing one: they vote for it, or report it."""
