"""What a form does is done once, though it may be sent again: its answer can get lost on the way."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

from service.accounts.guard import principal
from service.idempotency.operations import Answer, Asked, once


def once_by_form(door: str, key: UUID | None, said: Any, act: Callable[[], Answer]) -> dict[str, Any]:
    """Run `act`, or give what it told the first time that this form said this. Call inside its transaction.

    `key`: the form's own. With other words in it the same form is another one.
    """
    plain = json.loads(json.dumps(said, default=str))
    mark = hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:16]
    return once(Asked(principal().actor, f"desk.{door}", f"{key}-{mark}" if key else None, plain), act).body
