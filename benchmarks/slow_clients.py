"""Figure F16, and the choice of the server: who still answers while hundreds of clients are slow, and how fast.

python benchmarks/slow_clients.py                 all candidates: slow clients, then requests per second
python benchmarks/slow_clients.py --only front    F16 alone; exits with 1 when its target is missed
python benchmarks/slow_clients.py --url http://127.0.0.1:8080/healthz    F16 against what runs already
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import resource
import shutil
import statistics
import subprocess
import sys
import threading
import time
from dataclasses import asdict
from http.client import HTTPConnection
from pathlib import Path

from servers import CANDIDATES, PORT, megabytes, pin, running, workshop

from tests.proof.crowd import Slow, besiege


def requests_per_second(seconds: int) -> float:
    """16 connections that ask again and again, from the second core."""
    if shutil.which("wrk"):
        command = ["wrk", "-t1", "-c16", f"-d{seconds}s", f"http://127.0.0.1:{PORT}/"]
        told = subprocess.run(command, capture_output=True, text=True, check=True, preexec_fn=lambda: pin(1)).stdout
        if "Non-2xx" in told or "Socket errors" in told:
            print(told, file=sys.stderr)
        return float(re.search(r"Requests/sec:\s+([\d.]+)", told)[1])  # type: ignore[index]
    counts = [0] * 16
    end = time.monotonic() + seconds

    def ask(number: int) -> None:
        connection = HTTPConnection("127.0.0.1", PORT)
        while time.monotonic() < end:
            connection.request("GET", "/")
            connection.getresponse().read()
            counts[number] += 1

    askers = [threading.Thread(target=ask, args=(number,)) for number in range(16)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    return sum(counts) / seconds


def compare_speed(folder: Path, repeats: int, seconds: int) -> dict[str, list[float]]:
    """Requests per second of each candidate, the candidates taking turns."""
    rates: dict[str, list[float]] = {name: [] for name in CANDIDATES}
    for _ in range(repeats):
        for name, command in CANDIDATES.items():
            with running(command, folder):
                requests_per_second(1)
                rates[name].append(requests_per_second(seconds))
    return rates


def tell(slow: dict[str, Slow], rates: dict[str, list[float]]) -> None:
    print(
        "\n| server | GETs answered | p50 ms | p99 ms | worst ms | held at the end | dropped | MB |\n"
        + "|---" * 8
        + "|"
    )
    for name, one in slow.items():
        times = f"{one.p50:.1f} | {one.p99:.1f} | {one.worst:.1f}"
        print(
            f"| {name} | {one.answered}/{one.asked} | {times} | {one.held} | {one.dropped} | {one.megabytes or 0:.0f} |"
        )
    if rates:
        print("\n| server | requests/s, median | ratio to front: min – median – max |\n|---|---|---|")
    for name, found in rates.items():
        ratios = sorted(mine / front for mine, front in zip(found, rates["front"], strict=True))
        spread = f"{ratios[0]:.2f} – {statistics.median(ratios):.2f} – {ratios[-1]:.2f}"
        print(f"| {name} | {statistics.median(found):,.0f} | {spread} |")
    print(json.dumps({"slow": {name: asdict(one) for name, one in slow.items()}, "rates": rates}))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60, help="how long F16 lasts for the front")
    parser.add_argument("--others", type=float, default=15, help="how long it lasts for the other servers")
    parser.add_argument("--repeats", type=int, default=5, help="turns of the comparison of speed")
    parser.add_argument("--only", choices=list(CANDIDATES), help="F16 of this server, and no comparison")
    parser.add_argument("--url", help="F16 of a server that runs already")
    chosen = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard if 0 < hard < 4096 else 4096, hard))
    slow: dict[str, Slow] = {}
    rates: dict[str, list[float]] = {}
    if chosen.url:
        slow[chosen.url] = asyncio.run(besiege([chosen.url], chosen.seconds))
    else:
        with workshop() as folder:
            for name in [chosen.only] if chosen.only else CANDIDATES:
                with running(CANDIDATES[name], folder) as pid:
                    seconds = chosen.seconds if name in ("front", chosen.only) else chosen.others
                    target = f"http://127.0.0.1:{PORT}/"
                    slow[name] = asyncio.run(besiege([target], seconds, lambda pid=pid: megabytes(pid)))  # type: ignore[misc]
            if not chosen.only:
                rates = compare_speed(folder, chosen.repeats, 4)
    tell(slow, rates)
    return 0 if next(iter(slow.values())).within_target else 1


if __name__ == "__main__":
    sys.exit(main())
