"""The running product takes all signals from the published exporters, by HTTP and gRPC."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from opentelemetry._logs import SeverityNumber
from opentelemetry.exporter.otlp.proto.grpc import _log_exporter as grpc_logs
from opentelemetry.exporter.otlp.proto.grpc import trace_exporter as grpc_traces
from opentelemetry.exporter.otlp.proto.http import _log_exporter as http_logs
from opentelemetry.exporter.otlp.proto.http import trace_exporter as http_traces
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from tests.product import running
from tests.product.running import Product
from tests.product.waiting import until

pytestmark = pytest.mark.xdist_group("product")
_METRICS = {
    "resourceMetrics": [
        {
            "scopeMetrics": [
                {
                    "metrics": [
                        {
                            "name": "claude_code.cost.usage",
                            "sum": {
                                "aggregationTemporality": 1,
                                "dataPoints": [{"asDouble": 0.5, "timeUnixNano": "1"}],
                            },
                        },
                        {"name": "cpu", "gauge": {"dataPoints": [{"asInt": "1"}]}},
                    ]
                }
            ]
        }
    ]
}


def exporters(product: Product, protocol: str) -> tuple[Any, Any]:
    headers = {"authorization": f"Bearer {product.api_key}"}
    if protocol == "grpc":
        options: dict[str, Any] = {"endpoint": product.grpc_url, "headers": headers}
        options["compression"] = grpc.Compression.Gzip
        return grpc_traces.OTLPSpanExporter(**options), grpc_logs.OTLPLogExporter(**options)
    return (
        http_traces.OTLPSpanExporter(f"{product.otlp_url}/v1/traces", headers=headers),
        http_logs.OTLPLogExporter(f"{product.url}/v1/logs", headers=headers),
    )


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_a_span_and_its_log_record_meet_in_the_trace(product: Product, protocol: str) -> None:
    spans, logs = exporters(product, protocol)
    tracing, logging = TracerProvider(), LoggerProvider()
    tracing.add_span_processor(SimpleSpanProcessor(spans))
    logging.add_log_record_processor(SimpleLogRecordProcessor(logs))
    with tracing.get_tracer("acme").start_as_current_span("chat") as span:
        span.set_attribute("gen_ai.request.model", "gpt-4o")
        logging.get_logger("acme").emit(
            event_name="gen_ai.user.message",
            body={"content": f"Hello by {protocol}"},
            severity_number=SeverityNumber.INFO,
        )
    tracing.shutdown()
    logging.shutdown()
    trace_id = f"{span.get_span_context().trace_id:032x}"

    def shown() -> Any:
        answer = httpx.get(
            f"{product.url}/api/v1/public/traces/{trace_id}",
            params={"fields": "full,normalized"},
            headers={"authorization": f"Bearer {product.api_key}"},
        )
        return answer.json() if answer.status_code == 200 else None

    found = until(shown, "the trace", seconds=15)
    assert [log["event_name"] for log in found["logs"]] == ["gen_ai.user.message"]
    [only] = found["spans"]
    asked = [{"role": "user", "content": f"Hello by {protocol}"}]
    assert only["normalized"]["input_messages"] == asked


def test_metrics_are_taken_or_refused_one_by_one(product: Product) -> None:
    for url in (product.otlp_url, product.url):
        answer = httpx.post(
            f"{url}/v1/metrics", json=_METRICS, headers={"x-api-key": product.api_key}
        )
        assert answer.status_code == 200
        partial = answer.json()["partialSuccess"]
        assert partial["rejectedDataPoints"] == "1"
        assert "metric 'cpu': only the usage counters of coding agents" in partial["errorMessage"]


def test_a_taken_grpc_port_is_said_and_stops_nothing(directory: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        product = running.start(directory, more_environment={"TRACEROOT_GRPC_PORT": str(port)})
        try:
            assert f"Port {port}, for OTLP/gRPC, is in use" in product.printed
            assert "TRACEROOT_GRPC_PORT" in product.printed
            assert product.grpc_url == ""
            assert httpx.post(f"{product.otlp_url}/v1/logs").status_code == 401
        finally:
            product.destroy()
