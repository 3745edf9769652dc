"""What a rule may be about and what it may do; tables and shapes both speak these words."""

from __future__ import annotations

PERSON, DOMAIN, NETWORK, CIDR, LINK_HOST = "person", "domain", "network", "cidr", "link_host"
KINDS = (PERSON, DOMAIN, NETWORK, CIDR, LINK_HOST)
"""A person, an e-mail domain, a network label, a range of addresses, the host of a link."""

EFFECTS = ("block", "hold", "shadow", "trust")
"""A block with an end is a time-out."""
