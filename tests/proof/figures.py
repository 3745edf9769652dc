"""The figures by which the proofs are known: what each one counts. docs/proof.md shows them with their results."""

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
    "15b": "Freshness: approved in one process, read in another: older than the bound that is stated",
    "16": "Slow clients, 600 at once: quick requests that are not answered, or slower than 250 ms",
    "17": "Races on one key and on one comment: double effects",
    "18": "Migrations killed at every statement: schemas that do not come right",
    "20": "Hygiene: mutants that live, requirements without a test, starts on default secrets",
}
"""In the order of security.md. Those of mails, imports from elsewhere and load come with their features."""

NO_DATABASE = {"12", "16", "20"}
"""These hold whichever database there is; each of the others is to be shown on both."""
