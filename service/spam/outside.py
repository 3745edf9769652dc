"""What only the world outside knows. Called by the worker, never inside a request or a transaction."""

from __future__ import annotations

from email_validator import EmailUndeliverableError
from email_validator.deliverability import validate_email_deliverability

from service.privacy.unseal import NoKeyFits, unseal

_PATIENCE = 5
"""Seconds that a name server may take."""


def takes_mail(sealed: bytes) -> bool | None:
    """Whether the domain of an address takes mail, as DNS tells (RFC 5321, RFC 7505); None when it did not tell."""
    try:
        domain = unseal(sealed).rpartition("@")[2]
        found = validate_email_deliverability(domain, domain, timeout=_PATIENCE)
    except EmailUndeliverableError:
        return False
    except NoKeyFits:  # the others are still to be asked about
        return None
    return None if "unknown-deliverability" in found else True
