"""How moderators keep their lists: groups of comments that are alike, and filters that are saved."""
