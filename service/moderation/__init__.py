"""The moderators' room: the queue, decisions, and what a site's people manage."""
