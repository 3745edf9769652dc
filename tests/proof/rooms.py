"""Which tests have to find the mutants of which code, and which mutants nobody could find."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Room:
    """`code`: files, each with the functions that count, all where none are named. `tests`: directories and files,
    as patterns.

    `without`: words in the names of tests that take too long for every mutant; those of Hypothesis all do. `bare`: the
    tests need no fixture of a conftest.
    """

    code: dict[str, tuple[str, ...]]
    tests: tuple[str, ...]
    without: tuple[str, ...] = ()
    bare: bool = False


ROOMS = {
    "rendering": Room(
        {
            "service/comments/rendering.py": (),
            "service/comments/commonmark.py": (),
            "service/comments/foreignhtml.py": (),
            "service/comments/plaintext.py": (),
        },
        (
            "tests/comments/test_exact_html.py",
            "tests/comments/test_exact_text.py",
            "tests/comments/test_rendering.py",
            "tests/comments/test_markdown.py",
            "tests/comments/test_foreign_html.py",
            "tests/comments/test_plaintext.py",
            "tests/comments/test_websites_and_skeletons.py",
        ),
        without=("corpus", "specification", "cleaned_twice", "however_deep", "naughty", "threads_get"),
        bare=True,
    ),
    "sealing": Room(
        {
            "service/privacy/keys.py": (),
            "service/privacy/operations.py": (),
            "service/privacy/queries.py": (),
            "service/privacy/seal.py": (),
            "service/privacy/unseal.py": (),
        },
        ("tests/privacy",),
    ),
    "accounts": Room(
        {
            "service/accounts/guard.py": (),
            "service/accounts/operations.py": (),
            "service/accounts/passwords.py": (),
            "service/accounts/principal.py": (),
            "service/accounts/queries.py": (),
            "service/accounts/holders/queries.py": (),
            "service/moderation/team.py": (),
        },
        (
            "tests/accounts",
            "tests/audit",
            "tests/desk/test_account.py",
            "tests/desk/test_codes.py",
            "tests/desk/test_passkey*.py",
            "tests/desk/test_team.py",
            "tests/moderation/test_team.py",
        ),
        without=("cannot_try_every_account", "counted_against_the_account", "throttled_by_account"),
    ),
    "entering": Room(
        {
            "service/accounts/again.py": (),
            "service/accounts/factors.py": (),
            "service/accounts/invites.py": (),
            "service/accounts/passkeys.py": (),
            "service/accounts/security.py": (),
        },
        (
            "tests/accounts/test_factors.py",
            "tests/accounts/test_guard.py",
            "tests/accounts/test_invites.py",
            "tests/accounts/test_passkeys.py",
            "tests/accounts/test_sessions.py",
            "tests/accounts/test_sign_in.py",
            "tests/accounts/test_way_in.py",
            "tests/desk/test_account.py",
            "tests/desk/test_codes.py",
            "tests/desk/test_passkey*.py",
            "tests/desk/test_team.py",
            "tests/moderation/test_team.py",
        ),
        without=("cannot_try_every_account", "counted_against_the_account", "throttled_by_account"),
    ),
    "states": Room(
        {
            "service/comments/status.py": (),
            "service/comments/operations.py": ("transition", "_recount", "reshow", "_carry", "revise", "_keep"),
            "service/moderation/operations.py": (),
        },
        ("tests/moderation", "tests/comments/test_submitting.py"),
        without=("winner_each_round", "lost_update", "becomes_a_job", "leads_to_the_same_thread"),
    ),
    "authors": Room(
        {
            "service/authors/operations.py": (),
            "service/authors/queries.py": (),
            "service/comments/operations.py": ("_author", "new_author", "author_row", "token_digest"),
        },
        (
            "tests/authors",
            "tests/embed/test_mine*.py",
            "tests/comments/test_submitting.py",
            "tests/moderation/test_people.py",
        ),
        without=("becomes_a_job", "leads_to_the_same_thread"),
    ),
    "deciding": Room(
        {
            "service/comments/operations.py": (
                "",
                "submit",
                "write",
                "_tell",
                "_what_stands",
                "_store",
                "undo",
                "tell_edit",
            ),
            "service/moderation/bulk.py": (),
            "service/moderation/scope.py": (),
        },
        ("tests/moderation", "tests/comments/test_submitting.py"),
        without=("winner_each_round", "lost_update", "becomes_a_job", "leads_to_the_same_thread"),
    ),
    "outbound": Room(
        {
            "service/outbound/addresses.py": (),
            "service/outbound/answers.py": (),
            "service/outbound/networks.py": (),
            "service/outbound/transport.py": (),
            "service/webhooks/signing.py": (),
        },
        ("tests/outbound", "tests/webhooks/test_signing.py"),
        without=("only_the_transport", "whatever_raises", "seeded_import", "opens_no_connection"),
    ),
}
