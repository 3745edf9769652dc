"""What the whole fleet of docker-compose.yml answers on this machine, by way of Caddy, TLS included.

python -m benchmarks.fleet            half a minute; all its processes, and the load, share the cores
"""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from pathlib import Path

from benchmarks.bench import data
from benchmarks.bench.load import Ask, scripted
from tests.fleet.stack import Fleet, fleet

SECONDS, CONNECTIONS = 6, 32
SITE, PAGE, THREAD = "/v1/sites/blog", "/long/", 100
JSON = {"Content-Type": "application/json"}


def furnished(ours: Fleet) -> str:
    """A site with a thread on which others wait from now on, and its moderator, whose token is returned."""
    ours.run("sites", "add", "blog", "--name", "Blog", "--origin", "https://blog.example.org")
    ours.run(
        "sites", "set", "blog", "mode=post", *(f"limit_{name}=1000000/minute" for name in ("submit", "page", "site"))
    )
    ours.run("moderators", "add", "robin@example.org", "--name", "Robin", "--admin")
    told = ours.run("tokens", "add", "robin@example.org", "--name", "b", "--scope", "read", "--scope", "moderate")
    for number in range(THREAD):
        status, _ = ours.ask("POST", f"{SITE}/comments", said(PAGE, number))
        assert status == 201, status
    ours.run("sites", "set", "blog", "mode=pre")
    return re.findall(r"\bgr[a-z]*_\S+", told)[0]


def said(page: str, number: int) -> dict[str, str]:
    name, email = data.person(number)
    return {"page": page, "name": name, "email": email, "body": data.text(number)}


def rate(ours: Fleet, ask: Ask) -> float:
    """Good answers a second."""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s"]
    command += [word for name, value in ask.headers.items() for word in ("-H", f"{name}: {value}")]
    with tempfile.TemporaryDirectory(prefix="fleet-wrk-") as name:
        done = subprocess.run(
            [*command, *scripted(ours.base, ask, Path(name))], capture_output=True, text=True, check=True
        ).stdout
    assert "Non-2xx" not in done, done
    return float(re.findall(r"Requests/sec:\s+([\d.]+)", done)[0])


def approving(ours: Fleet, token: str) -> Ask:
    waiting = ours.rows("SELECT id FROM comments WHERE status = 'pending'")
    paths = [f"/v1/moderation/comments/{one}/decision" for one in waiting]
    headers = JSON | {"Authorization": f"Bearer {token}"}
    return Ask(paths, "POST", headers, ['{"decision": "approve"}'] * len(paths))


def main() -> None:
    with fleet() as ours:
        token = furnished(ours)
        bodies = [json.dumps(said(f"/{number % 30}/", 1_000 + number)) for number in range(6_000)]
        print(f"threads of {THREAD} read: {rate(ours, Ask([f'{SITE}/thread?page={PAGE}'])):,.0f} a second")
        print(f"comments posted: {rate(ours, Ask([f'{SITE}/comments'], 'POST', JSON, bodies)):,.0f} a second")
        print(f"comments approved: {rate(ours, approving(ours, token)):,.0f} a second")


if __name__ == "__main__":
    main()
