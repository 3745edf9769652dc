"""The moderators' room as pages: the same operations as the API, for people with a browser."""
