"""The widget in a real Chromium: how soon comments can be read, how long it keeps a page busy, and what it moves.

python benchmarks/widget.py               about two minutes; exits with 1 when a target is missed
python benchmarks/widget.py --repeats 20  more turns of what is repeated
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from servers import pin

from tests.browser import launched
from tests.e2e.conftest import serving_demo
from tests.transfer.exports import comment, export, item, saved
from tests.widget.elsewhere import Elsewhere, article, elsewhere, script, tag

SHOWN, LONGEST, BLOCKED = 300.0, 100.0, 50.0
"""Targets in milliseconds: until comments can be read, the longest task, and what a page is kept busy more."""

SLOWER = 4
"""How much slower the processor is made where pages are compared, as Lighthouse does for a telephone."""

WATCH = """
window.seen = { tasks: [], shift: 0, shown: 0 };
new PerformanceObserver((list) => seen.tasks.push(...list.getEntries().map((one) => one.duration)))
  .observe({ type: "longtask", buffered: true });
const moved = (one) => { seen.shift += one.hadRecentInput ? 0 : one.value; };
new PerformanceObserver((list) => list.getEntries().forEach(moved))
  .observe({ type: "layout-shift", buffered: true });
(function look() {
  const there = document.querySelector("greenroom-thread")?.shadowRoot?.querySelector("[part~=comment]");
  requestAnimationFrame(there ? () => setTimeout(() => { seen.shown = performance.now(); }) : look);
})();
"""
ARRIVED = "performance.getEntriesByType('resource').find((one) => one.name.endsWith('/widget.js')).responseEnd"
SETTLED = "new Promise((done) => requestIdleCallback(() => setTimeout(done, 500)))"


@dataclass
class Row:
    """A question, what was measured in how many turns, and the target for the worst (or the median) of them."""

    question: str
    unit: str
    values: list[float]
    target: float
    of_median: bool = False

    @property
    def figure(self) -> float:
        return statistics.median(self.values) if self.of_median else max(self.values)

    @property
    def is_met(self) -> bool:
        return self.figure <= self.target

    def shown(self) -> str:
        median, worst = statistics.median(self.values), max(self.values)
        verdict = "yes" if self.is_met else "**no**"
        figures = f"{median:.2f} | {worst:.2f} | {self.target:g}"
        return f"| {self.question} | {self.unit} | {len(self.values)} | {figures} | {verdict} |"


def talk(path: str, post: int, number: int) -> str:
    """An exported page with so many comments; two of three answer one before."""
    said = [
        comment(
            id=str(post * 100_000 + n),
            author=f"Reader {n}",
            author_email=f"reader{n}@mail.example.org",
            content=f"This is number {n}. It <em>stays</em> with you, and a few words more make a line or two of it.",
            parent=str(post * 100_000 + n - 1) if n % 3 else "0",
            date_gmt=f"2020-05-01 {n // 3600:02}:{n // 60 % 60:02}:{n % 60:02}",
        )
        for n in range(number)
    ]
    return item(*said, title=path, link=path, post_id=str(post))


@contextmanager
def window(browser: Any, slower: float = 1, **more: Any) -> Iterator[Any]:
    """A window with nothing in its cache that notes what happens in it."""
    context = browser.new_context(viewport={"width": 412, "height": 900}, **more)
    context.add_init_script(WATCH)
    page = context.new_page()
    context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": slower})
    yield page
    context.close()


def first_comments(browser: Any, url: str, repeats: int) -> Row:
    found = []
    for _ in range(repeats):
        with window(browser) as page:
            page.goto(url)
            page.wait_for_function("() => seen.shown > 0")
            found.append(page.evaluate(f"seen.shown - ({ARRIVED})"))
    return Row("First of 100 comments visible after the script has come", "ms", found, SHOWN)


def long_threads(browser: Any, url: str, repeats: int) -> list[Row]:
    loading, going_on = [], []
    for _ in range(repeats):
        with window(browser) as page:
            page.goto(url)
            page.wait_for_selector("greenroom-thread[state=ready]")
            page.evaluate(SETTLED)
            loading.append(_longest(page))
            while (more := page.locator("greenroom-thread [data-do=more]")).count():
                page.evaluate("seen.tasks = []")
                before = page.locator("greenroom-thread [part~=comment]").count()
                more.first.evaluate("one => one.click()")
                page.locator("greenroom-thread [part~=comment]").nth(before).wait_for(state="attached")
                page.evaluate(SETTLED)
                going_on.append(_longest(page))
                if len(going_on) % 10 == 0:
                    break
    return [
        Row("Longest task while a thread of 5,000 comments is opened", "ms", loading, LONGEST),
        Row("Longest task while more of it is shown, ten times", "ms", going_on, LONGEST),
    ]


def _longest(page: Any) -> float:
    return float(page.evaluate("Math.max(0, ...seen.tasks)"))


def compared(browser: Any, url: str, repeats: int) -> list[Row]:
    """The page with the widget, and with a script that does not come."""
    shifts, tasks = [], []
    for _ in range(repeats):
        (moved, busy), (moved_without, busy_without) = (_visited(browser, url, has_it) for has_it in (True, False))
        shifts.append(moved - moved_without)
        tasks.append(busy - busy_without)
    return [
        Row("Layout shift that the widget adds to the demo's page", "", shifts, 0.004, of_median=True),
        Row(f"Blocking time that it adds there, {SLOWER} times slower", "ms", tasks, BLOCKED, of_median=True),
    ]


def _visited(browser: Any, url: str, has_it: bool) -> tuple[float, float]:
    """Layout shift and blocking time of a visit from the head of the page to its end."""
    with window(browser, SLOWER) as page:
        if not has_it:
            page.route("**/widget*", lambda route: route.abort())
        page.goto(url)
        page.evaluate(SETTLED)
        page.evaluate("scrollTo({ top: document.body.scrollHeight, behavior: 'instant' })")
        if has_it:
            page.wait_for_selector("greenroom-thread[state=ready]")
        page.evaluate(SETTLED)
        busy = page.evaluate("seen.tasks.reduce((sum, one) => sum + Math.max(0, one - 50), 0)")
        return float(page.evaluate("seen.shift")), float(busy)


def measured(browser: Any, site: Elsewhere, service: str, repeats: int) -> list[Row]:
    pages = {
        path: site.put(path, article(tag(service, site.origin + path), head=script(service)))
        for path in ("/hundred", "/thousands")
    }
    return [
        first_comments(browser, pages["/hundred"], repeats),
        *long_threads(browser, pages["/thousands"], max(1, repeats // 5)),
        *compared(browser, f"{service}/", repeats),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=10, help="turns of each measurement")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="widget-") as name, elsewhere() as site:
        place = Path(name)
        cores = os.sched_getaffinity(0)
        pin(0)
        with serving_demo(place, GREENROOM_LIMITS_ENABLED="false") as demo:
            os.sched_setaffinity(0, cores)
            pin(1)
            demo.command("sites", "set", "demo", f"origins={demo.url},{site.origin}")
            pages = [talk(f"{site.origin}/hundred", 1, 100), talk(f"{site.origin}/thousands", 2, 5_000)]
            pages.append(talk(f"{demo.url}/", 3, 60))
            demo.command("import", "wordpress", str(saved(place, export(*pages))), "--site", "demo")
            with launched() as browser:
                rows = measured(browser, site, demo.url, chosen.repeats)
    print("\n| question | unit | turns | median | worst | target | met |\n|---|---|---:|---:|---:|---:|---|")
    print("\n".join(row.shown() for row in rows))
    print(json.dumps([asdict(row) for row in rows]))
    return 0 if all(row.is_met for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
