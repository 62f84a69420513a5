"""What to paste into a terminal to send a first trace: the whole of it, for three kinds of client.

One text for the page, for the first start's terminal and for the README. Nothing here sends.
"""

from __future__ import annotations

KEY_TO_FILL_IN = "tr-your-key"

_SDK = """\
pip install traceroot
export TRACEROOT_HOST_URL={url}
export TRACEROOT_API_KEY={key}
python3 - <<'PY'
import traceroot

traceroot.initialize()

@traceroot.observe(name="hello", type="agent")
def hello(question: str) -> str:
    return f"You asked: {{question}}"

hello("What is new?")
traceroot.flush()
PY"""

# The protocol is named because some languages' exporters speak gRPC by default; the space of the
# header is encoded because some read the variable by the letter of its specification.
_OPENTELEMETRY = """\
pip install opentelemetry-sdk opentelemetry-exporter-otlp-proto-http
export OTEL_EXPORTER_OTLP_ENDPOINT={url}
export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf
export OTEL_EXPORTER_OTLP_HEADERS="Authorization=Bearer%20{key}"
python3 - <<'PY'
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)

with trace.get_tracer("hello").start_as_current_span("hello") as span:
    span.set_attribute("gen_ai.operation.name", "invoke_agent")
    span.set_attribute("gen_ai.agent.name", "hello")

provider.shutdown()
PY"""

_CURL = """\
export TRACEROOT_API_KEY={key}
curl -sS {url}/v1/traces \\
  -H "Authorization: Bearer $TRACEROOT_API_KEY" \\
  -H "Content-Type: application/json" \\
  -d @- <<JSON
{{"resourceSpans": [{{"scopeSpans": [{{"spans": [{{
  "traceId": "$(openssl rand -hex 16)", "spanId": "$(openssl rand -hex 8)", "name": "hello",
  "startTimeUnixNano": "$(date +%s)000000000", "endTimeUnixNano": "$(date +%s)500000000"
}}]}}]}}]}}
JSON"""

# The header as its documentation writes it:
# https://code.claude.com/docs/en/monitoring-usage#quick-start
_CLAUDE_CODE = """\
export CLAUDE_CODE_ENABLE_TELEMETRY=1
export OTEL_METRICS_EXPORTER=otlp
export OTEL_LOGS_EXPORTER=otlp
export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf
export OTEL_EXPORTER_OTLP_ENDPOINT={url}
export OTEL_EXPORTER_OTLP_HEADERS="Authorization=Bearer {key}"
claude"""


def with_sdk(url: str, key: str = KEY_TO_FILL_IN) -> str:
    """`url`: of the pages, which the SDK sends to as well."""
    return _SDK.format(url=url, key=key)


def with_opentelemetry(otlp_url: str, key: str = KEY_TO_FILL_IN) -> str:
    return _OPENTELEMETRY.format(url=otlp_url, key=key)


def with_curl(otlp_url: str, key: str = KEY_TO_FILL_IN) -> str:
    return _CURL.format(url=otlp_url, key=key)


def with_claude_code(otlp_url: str, key: str = KEY_TO_FILL_IN) -> str:
    return _CLAUDE_CODE.format(url=otlp_url, key=key)
