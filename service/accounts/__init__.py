"""Moderators: accounts, roles per site, sign-in, API tokens, and the guard of every private door."""
