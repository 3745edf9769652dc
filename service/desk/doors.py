"""All doors of the desk: each of these files hangs its own on the one blueprint."""

from __future__ import annotations

from service.desk import acts, audit, many, numbers, people, reasons, saved, sites, webhooks
from service.desk.ui import bp

__all__ = ["acts", "audit", "bp", "many", "numbers", "people", "reasons", "saved", "sites", "webhooks"]
