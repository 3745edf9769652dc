"""Comments as the public is shown them."""
