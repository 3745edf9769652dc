"""What is smaller than the methods of the figures ask, or falls short; docs/proof.md shows it below each of them."""

from __future__ import annotations

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
shows most of its fields, and a quarter of them into one of the others; the table has the least of these. Titles of
reasons, and names of who took what waits, are one text of ten.

Whatever opens a browser is left out of `make test`: its quick part, and that of the framing in figure 7, is run by
`make check` and `make browser`.
""",
    "4": """
There are seven comments on each of the two sites, at least one in every state, and not a hundred: every door is asked
by every caller, and more comments would show the same fields again.
""",
    "5": """
Each database is sent one in 29 of the matrix of texts, places and doors, never the same, and Hypothesis makes up 2,000
texts and 2,000 documents for each, not 50,000: the hour has no room for more.
""",
    "14": """
A time is the least of five tries and a growth the least of three, since other work on the machine can only add to them;
calls are counted as well, which no machine changes.
""",
    "15": """
Clients ask at most 130 times a second, not 150: they, the servers and the databases share two cores.

During the rolling restart a lock is waited for 15 s, not 5: a busy machine is not to be taken for a failed restart. All
other faults have the 5 s that an install has.

The compose file's services are killed ten times each, crash with their database five times, and are replaced five
times, one after another: the full number of each fault is tried on one web process or two, and the hour is short. An
empty database is started on ten times on SQLite and ten times on PostgreSQL.

The small disk has 32 MB, not 4 to 8, since an empty database of PostgreSQL takes most of 8; it is filled up to the last
300 kB. PostgreSQL has its tables there and its log elsewhere: a full log is not shown.
""",
    "16": """
On SQLite only: what the crowd holds, it holds in front of the database.
""",
    "20": """
Of the rooms whose tests need a database a sample of the mutants is tried, the same in every run: 120 of accounts, 100
of entering, 120 of states, 60 of authors, 60 of deciding, 60 of outbound. All of rendering and sealing are.

The mutants are those of a tool of our own, since mutmut makes none of tables and decorated functions.
""",
}
"""By figure, in paragraphs that give the reason."""


def smaller(figure: str) -> list[str]:
    """One line for each thing."""
    return [" ".join(one.split()) for one in SMALLER.get(figure, "").split("\n\n") if one]
