"""The recording that comes with the source: what the README sends, and how it is made anew."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

import pytest

from sdk.demo import record
from traces.otlp import decoder

pytestmark = pytest.mark.xdist_group("demo")


def spans_of(file: Path) -> Counter[str]:
    found: Counter[str] = Counter()
    for line in file.read_bytes().splitlines():
        decoded = decoder.decode(line, "json")
        assert not decoded.rejected
        found.update(span.name for span in decoded.spans)
    return found


def test_a_new_recording_holds_what_the_shipped_one_holds(tmp_path: Path) -> None:
    file = tmp_path / "new.otlp.jsonl"
    assert record.record(file) == len(file.read_text().splitlines())
    assert spans_of(file) == spans_of(record.FILE)
    text = file.read_text()
    assert "KeyError: 'ISK'" in text
    for here in (sys.prefix, str(tmp_path), "/checkouts/"):
        assert here not in text, "a path of the machine that recorded"


def test_the_shipped_recording_is_small_and_by_the_letter_of_otlp() -> None:
    assert record.FILE.stat().st_size < 200_000
    for line in record.FILE.read_text().splitlines():
        for resource in json.loads(line)["resourceSpans"]:
            for scope in resource["scopeSpans"]:
                for span in scope["spans"]:
                    assert len(bytes.fromhex(span["traceId"])) == 16
                    assert isinstance(span["kind"], int)
