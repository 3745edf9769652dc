"""Who looks at which comment at the moment."""
