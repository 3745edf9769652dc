"""Whose turn it is among deliveries, so that no receiver keeps another waiting."""
