"""Telling a cache in front what has changed: from the notes of the database, until its hook has taken it."""
