"""The front door: whoever is slow, in sending or in reading, holds a connection here and never a thread."""

from service.front.door import Front
from service.front.server import configured, run, serve

__all__ = ["Front", "configured", "run", "serve"]
