"""One product and one browser for these tests; both end with them.

Playwright's event loop runs in this thread while the browser is open, and Django refuses database
calls beside it: so nothing here outlives the package, and these tests read through pages only.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser import chromium
from tests.browser.watching import Watch
from tests.product import running
from tests.product.running import Product

_AT_ONCE = 30


@dataclass(frozen=True, slots=True)
class Place:
    """A project of its own, empty at first."""

    url: str
    project_id: str
    api_key: str

    def at(self, path: str = "") -> str:
        return f"{self.url}/projects/{self.project_id}/{path}"


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    if not chromium.executable():
        message = "There is no Chromium: apt-get install chromium, or set TRACEROOT_CHROMIUM"
        if os.environ.get("CI", "").lower() in {"1", "true"}:
            pytest.fail(message)
        pytest.skip(message)
    with chromium.launched() as launched:
        yield launched


@pytest.fixture(scope="package")
def browsed(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """The running product."""
    product = running.start(tmp_path_factory.mktemp("browsed") / "data")
    yield product
    product.destroy()


@pytest.fixture(scope="package")
def signed_in(browser: Browser, browsed: Product) -> str:
    """Cookies of the administrator, as a file that contexts start from."""
    context = browser.new_context()
    chromium.sign_in(context.new_page(), browsed.url, browsed.email, browsed.password)
    path = browsed.data_dir.parent / "signed-in.json"
    context.storage_state(path=path)
    context.close()
    return str(path)


@pytest.fixture
def watch() -> Iterator[Watch]:
    """Fails the test when the console of its pages said anything bad."""
    watch = Watch()
    yield watch
    assert watch.trouble == []


@pytest.fixture
def context(browser: Browser, signed_in: str) -> Iterator[BrowserContext]:
    context = browser.new_context(
        storage_state=signed_in, viewport={"width": 1440, "height": 900}, locale="en-US"
    )
    context.set_default_timeout(20_000)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, watch: Watch) -> Page:
    """A page of the administrator, watched."""
    page = context.new_page()
    watch.on(page)
    return page


@pytest.fixture(scope="package")
def places(browsed: Product) -> Iterator[Place]:
    """Made some at a time, since starting Python takes longer than a test."""
    return _places(browsed)


def _places(product: Product) -> Iterator[Place]:
    made = 0
    while True:
        script = (
            "import json\n"
            "from accounts.provisioning import provide_project\n"
            f"for number in range({made}, {made + _AT_ONCE}):\n"
            f"    one = provide_project('Acme', f'Support {{number}}', {product.email!r})\n"
            "    print(json.dumps([str(one.project_id), one.api_key]))\n"
        )
        done = product.manage("shell", "--no-imports", "-c", script)
        assert done.returncode == 0, done.stderr
        for line in done.stdout.splitlines():
            yield Place(product.url, *json.loads(line))
        made += _AT_ONCE


@pytest.fixture
def place(places: Iterator[Place]) -> Place:
    return next(places)
