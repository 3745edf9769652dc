"""Decisions as they are kept: those on many, and what undoes each."""
