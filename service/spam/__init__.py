"""Is it spam, should it wait? Pure rules over facts, in order."""
