"""Clients of others, unmodified: the published SDK, the standard exporter, curl."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.product import otlp, pages
from tests.product.running import Product
from tests.product.waiting import until

pytestmark = pytest.mark.xdist_group("product")

SDK_SCRIPT = """
import traceroot

traceroot.initialize()


@traceroot.observe(name="book_flight", type="tool", metadata={"airline": "Puffin"})
def book(flight):
    raise RuntimeError("flight " + flight + " is sold out")


@traceroot.observe(name="think", type="llm")
def think(question):
    traceroot.update_current_span(
        model="gpt-4o-2024-08-06",
        usage={"input_tokens": 1200, "output_tokens": 80, "cache_read_tokens": 200},
    )
    return "I will book it"


@traceroot.observe(
    name="travel agent",
    type="agent",
    session_id="session-of-grace",
    user_id="grace",
    tags=["travel", "beta"],
    metadata={"plan": "gold"},
)
def travel(wish):
    think(wish)
    try:
        book("PF-7")
    except RuntimeError as error:
        return "Sorry: " + str(error)


travel("To Reykjavik, please")
traceroot.flush()
"""

EXPORTER_SCRIPT = """
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
tracer = trace.get_tracer("shop")
with tracer.start_as_current_span("invoke_agent shop") as root:
    root.set_attribute("gen_ai.operation.name", "invoke_agent")
    with tracer.start_as_current_span("chat") as chat:
        chat.set_attribute("gen_ai.operation.name", "chat")
        chat.set_attribute("gen_ai.request.model", "gpt-4o-mini")
        chat.set_attribute("gen_ai.usage.input_tokens", 11)
        chat.set_attribute("gen_ai.usage.output_tokens", 7)
    print(format(root.get_span_context().trace_id, "032x"))
provider.shutdown()
"""


@pytest.fixture(scope="module")
def sdk_trace(product: Product, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The run of the published SDK, as the list shows it once settled. In a project of its own."""
    key = product.create_project("Puffin Travel", "Travel", "grace@puffin.example")["api_key"]
    _run_script(
        SDK_SCRIPT,
        tmp_path_factory.mktemp("sdk"),
        {"TRACEROOT_HOST_URL": product.url, "TRACEROOT_API_KEY": key},
    )
    item = until(lambda: _settled(product, key, "travel agent"), "the SDK's trace", seconds=40)
    return {"key": key, "item": item}


@pytest.fixture(scope="module")
def browser(product: Product) -> Iterator[httpx.Client]:
    with pages.sign_in(product.url, product.email, product.password) as client:
        yield client


def test_the_sdks_run_is_in_the_list(sdk_trace: dict[str, Any]) -> None:
    item = sdk_trace["item"]
    assert item["name"] == "travel agent"
    assert (item["session_id"], item["user_id"]) == ("session-of-grace", "grace")
    assert (item["span_count"], item["error_count"]) == (3, 1)
    assert item["metadata_map"]["plan"] == "gold"
    assert "Reykjavik" in item["input"]
    assert "sold out" in item["output"]
    # The SDK counts cached tokens inside its input.
    assert (item["total_input_tokens"], item["total_output_tokens"]) == (1200, 80)
    assert item["total_cost"] > 0


def test_the_sdks_run_is_whole_in_get_and_export(
    product: Product, sdk_trace: dict[str, Any]
) -> None:
    trace_id, key = sdk_trace["item"]["trace_id"], sdk_trace["key"]
    trace = product.api(f"traces/{trace_id}", api_key=key, fields="full").json()
    assert (trace["session_id"], trace["user_id"]) == ("session-of-grace", "grace")
    assert json.loads(trace["metadata"])["plan"] == "gold"
    spans = {span["name"]: span for span in trace["spans"]}
    assert {name: span["span_kind"] for name, span in spans.items()} == {
        "travel agent": "AGENT",
        "think": "LLM",
        "book_flight": "TOOL",
    }
    root, think, book = spans["travel agent"], spans["think"], spans["book_flight"]
    assert root["parent_span_id"] is None
    assert think["parent_span_id"] == book["parent_span_id"] == root["span_id"]
    assert json.loads(root["input"]) == {"wish": "To Reykjavik, please"}
    assert root["output"] == "Sorry: flight PF-7 is sold out"
    assert json.loads(root["metadata"])["tags"] == ["travel", "beta"]
    assert think["model_name"] == "gpt-4o-2024-08-06"
    assert (think["input_tokens"], think["output_tokens"]) == (1200, 80)
    assert think["usage_details"]["cache_read"] == 200
    assert (book["status"], root["status"]) == ("ERROR", "OK")
    assert "flight PF-7 is sold out" in book["status_message"]
    assert json.loads(book["metadata"])["airline"] == "Puffin"

    export = product.api(f"traces/{trace_id}/export", api_key=key).json()
    assert export["manifest"]["trace_id"] == trace_id
    assert export["spans"] == trace["spans"]


def test_the_sdks_run_is_on_the_pages(product: Product, tmp_path: Path) -> None:
    """Sent to the administrator's own project, whose pages the first sign-in opens."""
    _run_script(
        SDK_SCRIPT,
        tmp_path,
        {"TRACEROOT_HOST_URL": product.url, "TRACEROOT_API_KEY": product.api_key},
    )
    item = until(
        lambda: _settled(product, product.api_key, "travel agent"), "the trace", seconds=40
    )
    trace_id = item["trace_id"]
    project = f"/projects/{product.project_id}"
    with pages.sign_in(product.url, product.email, product.password) as browser:
        listed = browser.get(f"{project}/traces/").text
        assert trace_id in listed
        assert "session-of-grace" in listed
        trace = browser.get(f"{project}/traces/{trace_id}/")
        assert trace.status_code == 200
        for text in ("travel agent", "session-of-grace", "grace", "travel", "beta", "gold"):
            assert text in trace.text
        spans = product.api(f"traces/{trace_id}").json()["spans"]
        shown = {
            span["name"]: browser.get(
                f"{project}/traces/{trace_id}/spans/{span['span_id']}/", params={"tab": tab}
            ).text
            for span, tab in zip(
                sorted(spans, key=lambda one: one["name"]),
                ("events", "messages", "raw"),  # book_flight, think, travel agent
                strict=True,
            )
        }
        # The SDK records an exception twice; the page shows it once, with its stack.
        assert "flight PF-7 is sold out" in shown["book_flight"]
        assert "Traceback (most recent call last)" in shown["book_flight"]
        assert "gpt-4o-2024-08-06" in shown["think"]
        assert "Reykjavik" in shown["travel agent"]
        followed = browser.get(f"{project}/traces", params={"traceId": trace_id})
        assert followed.url.path == f"{project}/traces/{trace_id}/"


def test_pages_are_for_those_who_signed_in(product: Product, browser: httpx.Client) -> None:
    path = f"/projects/{product.project_id}/traces/"
    assert httpx.get(product.url + path).headers["Location"].startswith("/accounts/login/")
    assert browser.get(path).status_code == 200


@pytest.mark.parametrize("port", ["receiver", "web"])
def test_the_standard_exporter_delivers(product: Product, tmp_path: Path, port: str) -> None:
    endpoint = product.otlp_url if port == "receiver" else product.url
    printed = _run_script(
        EXPORTER_SCRIPT,
        tmp_path,
        {
            "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
            "OTEL_EXPORTER_OTLP_HEADERS": f"Authorization=Bearer%20{product.api_key}",
        },
    )
    trace = product.api(f"traces/{printed.strip()}").json()
    spans = {span["name"]: span for span in trace["spans"]}
    assert spans["chat"]["parent_span_id"] == spans["invoke_agent shop"]["span_id"]
    assert (spans["chat"]["input_tokens"], spans["chat"]["output_tokens"]) == (11, 7)


@pytest.mark.parametrize("path", ["/v1/traces", "/api/v1/public/traces"])
@pytest.mark.parametrize("port", ["receiver", "web"])
def test_json_by_curl_delivers(product: Product, tmp_path: Path, port: str, path: str) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    trace_id = otlp.new_trace_id()
    body = tmp_path / "body.json"
    body.write_text(json.dumps(otlp.request(otlp.span(trace_id, "by curl"))))
    url = product.otlp_url if port == "receiver" else product.url
    done = subprocess.run(
        [
            *("curl", "-sS", "-w", "\n%{http_code}", f"{url}{path}"),
            *("-H", f"Authorization: Bearer {product.api_key}"),
            *("-H", "Content-Type: application/json", "--data-binary", f"@{body}"),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    answer, _, status = done.stdout.rpartition("\n")
    assert status == "200"
    assert json.loads(answer).get("partialSuccess", {}) == {}
    assert product.api(f"traces/{trace_id}").json()["spans"][0]["name"] == "by curl"


def test_a_project_is_made_while_it_runs(product: Product) -> None:
    done = product.manage(
        *("create_project", "--organization", "Acme", "--project", "Support"),
        *("--owner-email", "ada@acme.example"),
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 1
    made = json.loads(done.stdout)
    assert set(made) == {"organization_id", "project_id", "api_key"}
    who = product.api("whoami", api_key=made["api_key"]).json()
    assert (who["project_id"], who["project_name"]) == (made["project_id"], "Support")
    assert who["workspace_id"] == made["organization_id"]
    assert who["host"] == product.url
    trace_id = otlp.new_trace_id()
    body = otlp.request(otlp.span(trace_id, "first"))
    assert otlp.post(product.otlp_url, made["api_key"], body).status_code == 200
    assert product.api(f"traces/{trace_id}", api_key=made["api_key"]).status_code == 200
    # Another project's key does not see it.
    assert product.api(f"traces/{trace_id}").status_code == 404


def _run_script(script: str, directory: Path, variables: Mapping[str, str]) -> str:
    """Runs as a program of somebody else would: their directory, their environment."""
    path = directory / "agent.py"
    path.write_text(script)
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("TRACEROOT_", "OTEL_", "DJANGO_", "GITHUB_"))
    }
    done = subprocess.run(
        [sys.executable, str(path)],
        cwd=directory,
        env={**kept, **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _settled(product: Product, api_key: str, name: str) -> dict[str, Any]:
    """The newest trace of that name, once its row is complete; empty before."""
    found = product.api("traces", api_key=api_key, name=name).json()["data"]
    complete = [item for item in found if item["span_count"] == 3 and item["output"]]
    return complete[0] if complete else {}
