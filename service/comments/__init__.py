"""The public room: threads, submissions, replies, ratings, feeds."""
