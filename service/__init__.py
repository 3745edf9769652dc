"""Greenroom: comments wait in the green room until a moderator lets them on stage."""

__version__ = "0.1.0"
