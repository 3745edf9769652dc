"""Private things: sealed addresses, blind indexes, network labels, the keys to them."""
