"""What a newcomer copies runs as it is in a shell: from the page, the terminal and the README."""

from __future__ import annotations

import html
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.product import pages
from tests.product.running import ROOT, Product
from tests.product.waiting import until
from traces import first_trace

pytestmark = pytest.mark.xdist_group("product")

# Stands before the real one on the path, so that nothing is fetched; what the block wants to
# install has to be here, under the name that the block gives.
PIP = f"""#!{sys.executable}
import sys
from importlib.metadata import distribution

assert sys.argv[1] == "install"
for name in sys.argv[2:]:
    print("already installed:", distribution(name).name)
"""


@pytest.fixture
def shell(tmp_path: Path) -> Path:
    """An empty directory of somebody's machine, with a bin/ that is searched first."""
    for program in ("bash", "curl", "openssl"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    pip = tmp_path / "bin" / "pip"
    pip.parent.mkdir()
    pip.write_text(PIP)
    pip.chmod(0o755)
    return tmp_path


@pytest.mark.parametrize(
    ("box", "kind"), [("sdk", "AGENT"), ("opentelemetry", "AGENT"), ("curl", "SPAN")]
)
def test_each_box_of_the_page_sends_a_trace(
    product: Product, shell: Path, box: str, kind: str
) -> None:
    made = product.create_project("First traces", f"By {box}", product.email)
    path = f"/projects/{made['project_id']}/getting-started/"
    with pages.sign_in(product.url, product.email, product.password) as browser:
        page = browser.get(path).text
        assert "Waiting for the first span" in page
        block = _box(page, box)
        assert first_trace.KEY_TO_FILL_IN in block
        _paste(block.replace(first_trace.KEY_TO_FILL_IN, made["api_key"]), shell)
        arrived = until(
            lambda: _arrived(browser.get(f"{path}arrival/").text), "the trace on the page"
        )
    trace = product.api(f"traces/{arrived}", api_key=made["api_key"]).json()
    assert [(span["name"], span["span_kind"]) for span in trace["spans"]] == [("hello", kind)]


def test_what_the_first_start_prints_sends_a_trace(product: Product, shell: Path) -> None:
    _, _, after = product.printed.partition("Send a first trace (copy all of it):")
    block, _, _ = after.partition("Data and logs are in")
    assert product.api_key in block
    _paste(block, shell)

    def inputs() -> list[str]:
        found = product.api("traces", name="hello").json()["data"]
        return [str(trace["input"]) for trace in found]

    assert "What is new?" in until(inputs, "the trace in the list")[0]


def test_a_key_that_was_not_filled_in_is_said_plainly(product: Product, shell: Path) -> None:
    for block in (
        first_trace.with_sdk(product.url),
        first_trace.with_opentelemetry(product.otlp_url),
        first_trace.with_curl(product.otlp_url),
    ):
        assert re.search("401.*Unauthorized|API key", _paste(block, shell))


def test_the_readme_shows_the_same_blocks() -> None:
    readme = (ROOT / "README.md").read_text()
    for block in (
        first_trace.with_sdk("http://localhost:8000"),
        first_trace.with_opentelemetry("http://localhost:4318"),
        first_trace.with_curl("http://localhost:4318"),
    ):
        assert f"```sh\n{block}\n```" in readme


def test_the_recording_of_the_readme_is_here_and_is_taken(product: Product) -> None:
    found = re.search(r"manage\.py send_traces (\S+) --api-key", (ROOT / "README.md").read_text())
    assert found
    made = product.create_project("Recordings", "Of the README", product.email)
    done = product.manage(
        *("send_traces", str(ROOT / found.group(1)), "--now"),
        *("--api-key", made["api_key"], "--url", product.url),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    listed = product.api("traces", api_key=made["api_key"]).json()["data"]
    assert len(listed) == 3
    (failed,) = (trace for trace in listed if trace["status"] == "error")
    assert failed["output"] is None


def _box(page: str, name: str) -> str:
    """The text of the element that the copy button copies."""
    found = re.search(rf'<div class="snippet" id="snippet-{name}">(.*?)</div>', page, re.DOTALL)
    assert found, f"no box {name}"
    return html.unescape(re.sub(r"<[^>]+>", "", found.group(1)))


def _arrived(fragment: str) -> str:
    found = re.search(r"/traces/([0-9a-f]{32})/", fragment)
    return found.group(1) if found else ""


def _paste(block: str, shell: Path) -> str:
    """As into a terminal: an interactive shell goes on after a line that failed."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("TRACEROOT_", "OTEL_", "DJANGO_", "GITHUB_", "PYTHON"))
    }
    python = Path(sys.executable).parent
    done = subprocess.run(
        ["bash"],
        input=f"{block.rstrip()}\n",
        cwd=shell,
        env={**kept, "PATH": f"{shell / 'bin'}:{python}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert "Error" not in said, said
    return said
