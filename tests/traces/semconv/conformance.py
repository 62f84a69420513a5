"""What share of other products' own expectations our reading fulfils, over the real cases.

Judges as an outsider would who knows nothing but the names of the fields. Run
`TRACEROOT_SHARED=<folder> python -m tests.traces.semconv.conformance [convention …]` for the list
of everything that is not as expected.
"""

from __future__ import annotations

import base64
import gzip
import json
import math
import os
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import django

_PROJECT = UUID("00000000-0000-0000-0000-00000000000a")
_KINDS = {
    "chat": "llm", "generation": "llm", "workflow": "chain", "span": "chain", "task": "chain",
    "evaluation": "evaluator",
}  # fmt: skip
# Other names for a field: some products say in a field's name what it counts.
_FIELDS = {"input_tokens_inclusive": "input_tokens"}


@dataclass(frozen=True, slots=True)
class Miss:
    case: str
    field: str
    expected: Any
    actual: Any

    def __str__(self) -> str:
        return f"{self.case}: {self.field} = {self.actual!r}, expected {self.expected!r}"


@dataclass(slots=True)
class Score:
    held: int = 0
    misses: list[Miss] = field(default_factory=list)

    @property
    def total(self) -> int:
        return self.held + len(self.misses)

    @property
    def share(self) -> float:
        return self.held / self.total if self.total else 1.0


@dataclass(frozen=True, slots=True)
class Reading:
    """A case as we read it: the spans' fields and the trace's, with what tells spans apart."""

    spans: list[tuple[str, str, dict[str, Any]]]
    trace: dict[str, Any]


def cases(shared: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(shared / "data" / "otlp-conformance" / "cases.jsonl.gz", "rt") as lines:
        for line in lines:
            yield json.loads(line)


def trace_cases(shared: Path) -> Iterator[dict[str, Any]]:
    """Those that count: traces, and not malformed on purpose."""
    for case in cases(shared):
        if case["signal"] == "traces" and case["well_formed"]:
            yield case


def log_cases(shared: Path) -> Iterator[dict[str, Any]]:
    for case in cases(shared):
        if case["signal"] == "logs" and case["well_formed"]:
            yield case


def read(case: Mapping[str, Any], encoding: str) -> Reading:
    """One case through the decoder, the normaliser, and the view of an outsider."""
    return _read_logs(case, encoding) if case["signal"] == "logs" else _read_spans(case, encoding)


def _decoded(case: Mapping[str, Any], encoding: str) -> list[Any]:
    from traces.otlp import decoder

    if encoding == "json":
        body = json.dumps(case["otlp_json"]).encode()
        decoded = decoder.decode(body, "json", case["signal"])
    else:
        body = base64.b64decode(case["otlp_protobuf_base64"])
        decoded = decoder.decode(body, "protobuf", case["signal"])
    assert not decoded.rejected, case["case"]
    return decoded.records


def _read_logs(case: Mapping[str, Any], encoding: str) -> Reading:
    """Log records, as the spans of a case; what tells them apart is their order."""
    from traces.semconv import log_records

    logs = log_records.of(_decoded(case, encoding), project_id=_PROJECT, received_ns=1)
    seen = [(log.span_id.hex(), log.event_name, log_records.fields(log)) for log in logs]
    return Reading(json.loads(json.dumps(seen)), {})


def _read_spans(case: Mapping[str, Any], encoding: str) -> Reading:
    from traces import totals
    from traces.semconv import normalize, normalized
    from traces.store.rows import SPAN_COLUMNS

    raws = _decoded(case, encoding)
    spans = normalize.spans(raws, project_id=_PROJECT, received_ns=1)
    rows = [
        {name: cell(span) for name, _, cell in SPAN_COLUMNS}
        | {"stored_at": datetime.now(UTC), "cost_usd": span.cost_usd}
        for span in spans
    ]
    trace = normalized.of_trace(totals.summarize(rows, is_running=False), spans) if rows else {}
    seen = [(span.span_id.hex(), span.name, normalized.of(span)) for span in spans]
    return Reading(json.loads(json.dumps(seen)), trace)


def score(shared: Path, wanted: Sequence[str] = ()) -> dict[str, Score]:
    """By convention, over the JSON form of every case."""
    scores: dict[str, Score] = defaultdict(Score)
    for case in (*trace_cases(shared), *log_cases(shared)):
        if wanted and case["convention"] not in wanted:
            continue
        reading = read(case, "json")
        for check in case["checks"]:
            own = scores[case["convention"]]
            missed = miss(case, check, reading)
            if missed is None:
                own.held += 1
            else:
                own.misses.append(missed)
    return scores


def miss(case: Mapping[str, Any], check: Mapping[str, Any], reading: Reading) -> Miss | None:
    """What is not as expected; None when it is."""
    actual = _actual(reading, check, case["token_semantics"])
    if _holds(check, actual):
        return None
    return Miss(case["case"], check["field"], check["value"], actual)


def _actual(reading: Reading, check: Mapping[str, Any], semantics: Mapping[str, str]) -> Any:
    name = _FIELDS.get(check["field"], check["field"])
    if check["target"] == "trace":
        return _walk(reading.trace, name)
    found = _selected(reading, check["select"])
    actual = _walk(found, name)
    if name == "input_tokens" and "subtracts cache" in semantics.get("input_tokens", ""):
        beside = found.get("uncached_input_tokens")
        return beside if beside == check["value"] else actual
    return actual


def _selected(reading: Reading, select: Mapping[str, Any]) -> dict[str, Any]:
    fitting = [
        found
        for span_id, name, found in reading.spans
        if select.get("span_id") in (None, span_id)
        and select.get("name") in (None, name)
        and ("kind" not in select or _kind(select["kind"]) == _kind(found.get("kind")))
    ]
    assert fitting, f"no span for {select}"
    return fitting[int(select.get("nth") or 0)]


def _walk(value: Any, name: str) -> Any:
    """`a.b.0` in nested objects and lists; keys may hold dots themselves."""
    if isinstance(value, dict):
        if name in value:
            return value[name]
        for index, char in enumerate(name):
            if char == "." and name[:index] in value:
                return _walk(value[name[:index]], name[index + 1 :])
        return None
    head, _, rest = name.partition(".")
    if isinstance(value, list) and head.isdecimal() and int(head) < len(value):
        return _walk(value[int(head)], rest) if rest else value[int(head)]
    return None


def _holds(check: Mapping[str, Any], actual: Any) -> bool:
    expected = check.get("value")
    if check["op"] == "absent":
        return actual in (None, "", [], {})
    if check["op"] == "json_equals":
        return _same(_parsed(actual), _parsed(expected))
    if check["field"] == "kind":
        return _kind(actual) == _kind(expected)
    if isinstance(actual, list) and len(actual) == 1 and not isinstance(expected, list):
        actual = actual[0]
    return _same(actual, expected)


def _same(actual: Any, expected: Any) -> bool:
    if isinstance(actual, int | float) and isinstance(expected, int | float):
        return math.isclose(actual, expected, rel_tol=1e-9)
    if isinstance(actual, int | float) and isinstance(expected, str):
        # A number that was sent as text and expected as it was sent.
        return str(actual) == expected
    return bool(actual == expected)


def _parsed(value: Any) -> Any:
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _kind(value: Any) -> str:
    text = str(value).lower()
    return _KINDS.get(text, text)


def main(wanted: Sequence[str]) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "traceroot_site.settings")
    django.setup()
    scores = score(Path(os.environ["TRACEROOT_SHARED"]), wanted)
    for convention, own in sorted(scores.items()):
        for miss in own.misses:
            print(f"[{convention}] {str(miss)[:600]}")
    for convention, own in sorted(scores.items()):
        print(f"{convention:24} {own.held:4} of {own.total:4}  {own.share:7.2%}")
    held, total = (sum(getattr(own, name) for own in scores.values()) for name in ("held", "total"))
    print(f"{'all':24} {held:4} of {total:4}  {held / max(1, total):7.2%}")


if __name__ == "__main__":
    main(sys.argv[1:])
