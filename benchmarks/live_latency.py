"""From the end of a span to its row on the screen, with an exporter that sends each span at once;
beside the pause between two looks at the store.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import Span, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import Tracer, set_span_in_context
from playwright.sync_api import Page

from benchmarks.figures import Figure, quantile
from tests.browser import chromium
from tests.product.running import Product
from traces import live

SAMPLES = 30
TARGET_MS = 2_000

# When the page shows an element of the selector for the first time, by the clock of this machine.
_WATCH = """([selector]) => {
  window.shownAt = 0;
  const look = () => {
    if (window.shownAt || !document.querySelector(selector)) return;
    observer.disconnect();
    requestAnimationFrame(() => requestAnimationFrame(() => { window.shownAt = Date.now(); }));
  };
  const observer = new MutationObserver(look);
  observer.observe(document.body,
    { childList: true, subtree: true, attributes: true, attributeFilter: ["data-span"] });
  look();
}"""


def run(product: Product) -> Sequence[Figure]:
    tracer = _tracer(product)
    with chromium.launched() as browser:
        page = browser.new_page(viewport={"width": 1440, "height": 1600})
        chromium.sign_in(page, product.url, product.email, product.password)
        tree = _in_tree(page, product, tracer)
        rows = _in_list(page, product, tracer)
    return [
        Figure(
            f"span ended to its row in {where}, {name}",
            quantile(found, share),
            "ms",
            "pause between looks",
            live.POLL_SECONDS * 1000,
            TARGET_MS if share == 0.95 else None,
        )
        for where, found in (("the open trace", tree), ("the list", rows))
        for name, share in (("median", 0.5), ("95th percentile", 0.95), ("slowest", 1.0))
    ]


def _tracer(product: Product) -> Tracer:
    exporter = OTLPSpanExporter(
        endpoint=f"{product.otlp_url}/v1/traces",
        headers={"Authorization": f"Bearer {product.api_key}"},
    )
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return provider.get_tracer("benchmarks")


def _in_tree(page: Page, product: Product, tracer: Tracer) -> list[float]:
    """Children of one run, each ending while its page is open."""
    root = tracer.start_span("live run")
    inside = set_span_in_context(root)
    tracer.start_span("first", context=inside).end()
    trace_id = f"{root.get_span_context().trace_id:032x}"
    page.goto(f"{product.url}/projects/{product.project_id}/traces/{trace_id}/")
    page.get_by_role("button", name="Live").wait_for()
    time.sleep(1.0)

    def one() -> tuple[Span, str]:
        span = tracer.start_span("step", context=inside)
        assert isinstance(span, Span)
        return span, f".tree-row[data-span='{span.get_span_context().span_id:016x}']"

    found = [_latency(page, one) for _ in range(SAMPLES)]
    root.end()
    return found


def _in_list(page: Page, product: Product, tracer: Tracer) -> list[float]:
    """Runs of one span each, ending while the list is open."""
    page.goto(f"{product.url}/projects/{product.project_id}/traces")
    page.get_by_role("button", name="Live").wait_for()
    time.sleep(1.0)

    def one() -> tuple[Span, str]:
        span = tracer.start_span("short run")
        assert isinstance(span, Span)
        return span, f"tr[data-key='{span.get_span_context().trace_id:032x}']"

    return [_latency(page, one) for _ in range(SAMPLES)]


def _latency(page: Page, start: Callable[[], tuple[Span, str]]) -> float:
    """Milliseconds from the end of a span to its row."""
    span, selector = start()
    page.evaluate(_WATCH, [selector])
    time.sleep(0.137)  # samples fall everywhere between two looks at the store
    ended = time.time() * 1000
    span.end()
    chromium.wait_until(page, "window.shownAt > 0")
    shown: float = page.evaluate("window.shownAt")
    return shown - ended
