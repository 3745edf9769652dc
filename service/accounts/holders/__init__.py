"""Who holds a token: asked at every guarded door."""
