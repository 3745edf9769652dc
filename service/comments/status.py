"""The states of a comment and the moves between them. This table is the truth."""

from __future__ import annotations

PENDING, APPROVED, REJECTED, SPAM, DELETED = "pending", "approved", "rejected", "spam", "deleted"
STATUSES = (PENDING, APPROVED, REJECTED, SPAM, DELETED)

MOVES: dict[str | None, frozenset[str]] = {
    None: frozenset(STATUSES),  # a new comment
    PENDING: frozenset({APPROVED, REJECTED, SPAM, DELETED}),
    APPROVED: frozenset({PENDING, REJECTED, SPAM, DELETED}),
    REJECTED: frozenset({PENDING, APPROVED, SPAM, DELETED}),
    SPAM: frozenset({PENDING, APPROVED, REJECTED, DELETED}),
    DELETED: frozenset({PENDING, APPROVED, REJECTED, SPAM}),
}

DECISIONS = {"approve": APPROVED, "reject": REJECTED, "spam": SPAM, "delete": DELETED, "restore": PENDING}
"""What a moderator says → where it leads."""


class IllegalTransition(Exception):
    """A move that the table does not have."""

    def __init__(self, before: str | None, after: str) -> None:
        super().__init__(f"A comment that is {before} cannot become {after}.")
        self.before, self.after = before, after


def check(before: str | None, after: str) -> None:
    """IllegalTransition unless the table has the move."""
    if after not in MOVES.get(before, frozenset()):
        raise IllegalTransition(before, after)
