"""Which SDK sent a request, by headers, resource and User-Agent; and what hostile text becomes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tests.traces.otlp.requests import protobuf_request, protobuf_span
from tests.traces.otlp.test_grpc import BEARER, called, served
from tests.traces.otlp.test_receiver import LIMITS, GoodKey, Sender, Store, authorize, scope
from traces.otlp import sdk
from traces.otlp.arrived import Arrived
from traces.otlp.receiver import Receiver
from traces.otlp.sdk import Sdk
from traces.spans import Attributes, Span

OURS = {
    "x-traceroot-sdk-name": "traceroot-py",
    "x-traceroot-sdk-version": "0.5.0",
    "user-agent": "OTel-OTLP-Exporter-Python/1.38.0",
}
OTEL: Attributes = {
    "telemetry.sdk.name": "opentelemetry",
    "telemetry.sdk.version": "1.38.0",
    "telemetry.sdk.language": "python",
}


@pytest.mark.parametrize(
    ("headers", "resource", "expected"),
    [
        (OURS, OTEL, Sdk("traceroot-py", "0.5.0", "python")),
        (OURS | {"x-traceroot-sdk-language": "go"}, OTEL, Sdk("traceroot-py", "0.5.0", "go")),
        ({"x-traceroot-sdk-name": "traceroot-ts"}, OTEL, Sdk("traceroot-ts", "", "python")),
        ({"user-agent": "x/1"}, OTEL, Sdk("opentelemetry", "1.38.0", "python")),
        (
            {"user-agent": "OTel-OTLP-Exporter-Python/1.38.0 grpc-python/1.76.0"},
            {},
            Sdk("OTel-OTLP-Exporter-Python", "1.38.0", ""),
        ),
        ({"user-agent": "curl"}, {"telemetry.sdk.language": "cpp"}, Sdk("curl", "", "cpp")),
        ({}, {"telemetry.sdk.version": "1"}, Sdk()),
        ({}, {"telemetry.sdk.name": 7}, Sdk()),
    ],
)
def test_headers_speak_before_the_resource_and_that_before_the_user_agent(
    headers: Mapping[str, str], resource: Attributes, expected: Sdk
) -> None:
    assert sdk.of(headers, resource) == expected


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("a\x00b\r\n\tc", "a b c"),
        ("\u202eyp-toor", "yp-toor"),
        ("x" * 10_000_000, "x" * 99 + "…"),
        ("half \ud800 pair", "half pair"),
        ("\x1b[31m", "[31m"),
    ],
)
def test_hostile_names_are_short_and_hold_nothing_that_does_not_show(sent: str, kept: str) -> None:
    assert sdk.of({"x-traceroot-sdk-name": sent}, {}).name == kept
    assert sdk.of({}, {"telemetry.sdk.name": sent}).name == kept


def looking(seen: list[Sdk]) -> Receiver[GoodKey, Sequence[Span]]:
    def look(arrived: Arrived, key: GoodKey) -> Sequence[Span]:
        seen.append(arrived.sdk)
        return arrived.spans

    return Receiver(authorize, look, Store().write, LIMITS)


def test_a_request_over_http_says_its_sdk() -> None:
    seen: list[Sdk] = []
    sender = Sender([protobuf_request(protobuf_span()).SerializeToString()])
    headers = {name.replace("-", "_"): value for name, value in OURS.items()}
    asyncio.run(looking(seen)(scope(**headers), sender.receive, sender.send))
    [found] = seen
    assert (found.name, found.version) == ("traceroot-py", "0.5.0")


def test_a_call_over_grpc_says_its_sdk() -> None:
    seen: list[Sdk] = []

    async def run(*metadata: Any) -> None:
        async with served(looking(seen)) as port:
            await called(port, metadata=(*BEARER, *metadata))

    asyncio.run(run(("x-traceroot-sdk-name", "traceroot-py")))
    asyncio.run(run())
    assert [found.name for found in seen] == ["traceroot-py", "grpc-python-asyncio"]
