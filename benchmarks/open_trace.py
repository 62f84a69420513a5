"""From the start of a navigation to the painted rows of the tree: a trace of 2,000 spans beside one
of 20. The browser has been on the page before, as its reader has.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from playwright.sync_api import Page

from benchmarks import agents, sending
from benchmarks.figures import Figure, quantile
from tests.browser import chromium
from tests.product.running import Product

SPANS, FEW_SPANS = 2_000, 20
OPENINGS = 11
TARGET_MS = 1_000

# Two frames after the rows were put into the document they are on the screen.
_STAMP = """
const stamp = () => { window.painted = performance.now(); };
const twoFramesLater = () => requestAnimationFrame(() => requestAnimationFrame(stamp));
document.addEventListener("tree-load", twoFramesLater, { once: true });
"""
_READ = """() => ({ painted: window.painted, rows: document.querySelectorAll(".tree-row").length,
  spans: document.querySelector("span-tree").model.rows.length,
  answered: performance.getEntriesByType("navigation")[0].responseEnd })"""


def run(product: Product) -> Sequence[Figure]:
    traces = {count: _send(product, count) for count in (SPANS, FEW_SPANS)}
    with chromium.launched() as browser:
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.add_init_script(_STAMP)
        chromium.sign_in(page, product.url, product.email, product.password)
        many = _openings(page, product, traces[SPANS], SPANS)
        few = _openings(page, product, traces[FEW_SPANS], FEW_SPANS)
    return [
        Figure(
            f"open a trace of {SPANS:,} spans, {name}",
            quantile([one[key] for one in many], share),
            "ms",
            f"of {FEW_SPANS} spans",
            quantile([one[key] for one in few], share),
            TARGET_MS if (key, share) == ("painted", 0.5) else None,
        )
        for name, key, share in (
            ("rows painted, median", "painted", 0.5),
            ("rows painted, slowest", "painted", 1.0),
            ("page received, median", "answered", 0.5),
        )
    ]


def _send(product: Product, count: int) -> str:
    trace_id = secrets.token_bytes(16)
    with sending.client(product) as sender:
        body = agents.request(count, trace_id).SerializeToString()
        sending.post(sender, product, sending.packed(body))
    return trace_id.hex()


def _openings(page: Page, product: Product, trace_id: str, spans: int) -> list[dict[str, float]]:
    address = f"{product.url}/projects/{product.project_id}/traces/{trace_id}/"
    found = []
    for opening in range(OPENINGS + 1):
        page.goto("about:blank")
        page.goto(address, wait_until="commit")
        chromium.wait_until(page, "Boolean(window.painted)")
        seen: dict[str, float] = page.evaluate(_READ)
        if seen["spans"] != spans or not seen["rows"]:
            raise RuntimeError(f"The page shows {seen} of {spans} spans.")
        if opening:  # the first one fills the browser's cache
            found.append(seen)
    return found
