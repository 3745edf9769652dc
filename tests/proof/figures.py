"""The figures by which the proofs are known: what each one counts. docs/proof.md shows them with their results.

Beside them stands what is smaller than the method asks, or falls short, each with its reason.
"""

from __future__ import annotations

FIGURES = {
    "1": "Hostile markup over every write path, read back by two parsers: what survives",
    "2": "Hostile markup in a real Chromium, in every sink: what executes",
    "3": "Write paths of the URL map and the commands: what is not covered by figure 1",
    "4": "Canary addresses, IPs and tokens at every door, in logs, rows and files: leaks",
    "5": "Bad input at every door: crashes, bare refusals, rows changed by what was refused",
    "5c": "Schemathesis, all checks and stateful: answers that the document does not have",
    "6": "Every door by eleven callers about two sites, hostile columns: wrong cells",
    "7": "Forgery, foreign origins, framing, hosts, a shared cache: wrong cells",
    "8": "Limits against forged headers, rotating networks, several processes: accepted beyond them",
    "11": "Webhooks sent to addresses that nobody may reach: taken, or connected to",
    "12": "Signatures of webhooks by libraries of others: ours refused, changed ones taken",
    "13": "Timing of known against unknown: differences that can be told",
    "14": "Pathological texts at the longest length: slower than 250 ms, or than three times for twice",
    "15": "Faults while clients write: lost, doubled, events or audit rows missing",
    "17": "Races on one key and on one comment: double effects",
    "18": "Migrations killed at every statement: schemas that do not come right",
    "20": "Hygiene: mutants that live, requirements without a test, starts on default secrets",
}
"""In the order of security.md. Those of mails, imports from elsewhere and load come with their features."""

NO_DATABASE = {"12", "20"}
"""These hold whichever database there is; each of the others is to be shown on both."""

SMALLER = {
    "1": """
PostgreSQL takes every third text in three of the paths (authors' changes, moderators' replies, settings of a site), and
each database half of the previews: nothing between the door and the column differs, and the hour is short.

Names go through one of the two doors for visitors on either database. Other words than comments, titles and reasons
take a half or a quarter of the texts, both databases together; whole pages are drawn for some batches of each path.

The html5sec list is not among the corpora that there are.
""",
    "2": """
PostgreSQL is shown 500 of the texts: a browser gets the same bytes whichever database they come from.

All texts in all pages that show one text at a time would be nearly 400,000 pages. Every text goes into the one that
shows most of its fields, and a quarter of them into one of the others; the table has the least of these.

Whatever opens a browser is left out of `make test`: its quick part, and that of the framing in figure 7, is run by
`make check` and `make browser`.
""",
    "4": """
There are seven comments on each of the two sites, at least one in every state, and not a hundred: every door is asked
by every caller, and more comments would show the same fields again.
""",
    "5": """
Each database is sent an eighth of the matrix of texts, places and doors, never the same eighth, and Hypothesis makes up
2,000 texts and 2,000 documents for each, not 50,000: the hour has no room for more.
""",
    "14": """
A time is the least of five tries and a growth the least of three, since other work on the machine can only add to them;
calls are counted as well, which no machine changes.
""",
    "15": """
Clients ask at most 130 times a second, not 150: they, the servers and the databases share two cores.

During the rolling restart a lock is waited for 15 s, not 5: a busy machine is not to be taken for a failed restart. All
other faults have the 5 s that an install has.

The small disk has 32 MB, not 4 to 8, since an empty database of PostgreSQL takes most of 8; it is filled up to the last
300 kB. PostgreSQL has its tables there and its log elsewhere: a full log is not shown.
""",
    "20": """
Of the rooms whose tests need a database a sample of the mutants is tried, the same in every run: 120 of accounts, 100
of entering, 120 of states. All of rendering and sealing are.

The mutants are those of a tool of our own, since mutmut makes none of tables and decorated functions. What guards
connections and signs webhooks has none: figures 11 and 12 show it from outside.
""",
}
"""What is smaller than the method of a figure asks, or falls short, in paragraphs that give the reason."""


def smaller(figure: str) -> list[str]:
    """One line for each thing."""
    return [" ".join(one.split()) for one in SMALLER.get(figure, "").split("\n\n") if one]
