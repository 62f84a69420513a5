"""A word planted in everything a project keeps of a run, and the search for it everywhere."""

from __future__ import annotations

import gzip
import os
import struct
import uuid
import zlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import lz4.block
import lz4.frame
from backports import zstd
from django.apps import apps
from django.conf import settings
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import connections
from django.utils import timezone

from accounts.models import Project, User
from debugging.models import DebuggingSession, Step
from detectors.models import AlertDelivery, Detector, DetectorRun, Evidence, Finding
from tests.traces import arrived, made
from traces import settle
from traces.agent_usage import AgentUsage
from traces.ingest import quarantine, receipts
from traces.ingest.arrivals import Arrival
from traces.logs import Log
from traces.otlp.decoded import Rejection
from traces.spans import Span, SpanEvent
from traces.spool import deposits
from traces.store import client, log_rows, marks, usage_rows, writer
from traces.store.errors import StoreRejected

# https://github.com/ClickHouse/ClickHouse/blob/master/src/Compression/CompressionInfo.h
_LZ4, _METHODS = 0x82, {0x82, 0x90, 0x02}


class Run:
    """One run of an agent, with the word wherever a sender can put it."""

    def __init__(self, project: Project, person: User, *, is_of_traces: bool = True) -> None:
        """`is_of_traces`: nothing holds the word that does not belong to the trace."""
        self.project, self.person, self.is_of_traces = project, person, is_of_traces
        self.word = f"planted-{uuid.uuid4().hex}"
        self.trace_id = made.trace_id()
        self.session_id = f"session {self.word}"
        self.user_id = f"{self.word}@customer.example"

    def span(self, number: int = 1) -> Span:
        word = self.word
        parent = 0 if number == 1 else 1
        return made.span(
            self.project.id, self.trace_id, number, parent, name=f"call {word}", kind="tool",
            input=f"question {word}", output=f"Error: {word}", status="error",
            status_message=word, error_type=word, error_message=word, session_id=self.session_id,
            user_id=self.user_id, tags=(word,), metadata={word: word}, trace_name=word,
            trace_tags=(word,), trace_metadata={word: word}, environment=word, release=word,
            service_name=word, agent_name=word, tool_name=word, model=word, prompt_name=word,
            git_repo=word, git_source_file=word,
            attributes={word: word, "n": 1, f"l{word}": [word]},
            events=(SpanEvent(1, f"event {word}", {word: word}),),
            resource_json=f'{{"host":"{word}"}}', scope_json=f'{{"name":"{word}"}}',
        )  # fmt: skip

    def arrival(self, number: int = 1) -> Arrival:
        rejected = Rejection(f"span '{self.word}' (ab): its id {self.word} is no id.", 1)
        return arrived.arrival(self.project.id, self.span(number), rejected=(rejected,))

    def plant(self) -> None:
        """In every place."""
        for number in (1, 2):
            arrival = self.arrival(number)
            writer.insert([arrival.batch])
            receipts.insert([arrival.receipt])
        self._log_and_usage()
        self._quarantine()
        deposits.put([self.arrival(3)], now=timezone.now())
        settle.settle_quiet()
        self._find()
        self._debug()

    def _log_and_usage(self) -> None:
        now = arrived.clock()
        common = {"project_id": self.project.id, "received_ns": now}
        for trace_id in (self.trace_id, b""):
            log = Log(
                **common, log_id=made.trace_id(), trace_id=trace_id, span_id=made.span_id(1),
                time_ns=now, observed_ns=now, body=f"said {self.word}",
                attributes={self.word: self.word},
                session_id=self.session_id, user_id=self.user_id,
            )  # type: ignore[arg-type]  # fmt: skip
            if trace_id or not self.is_of_traces:
                writer.insert([log_rows.to_batch([log], **common)])  # type: ignore[arg-type]
        usage = AgentUsage(
            **common, series_id=made.trace_id(), start_ns=now, time_ns=now, agent="codex",
            metric="tokens", counted="input", is_delta=True, value=1.0, model="m",
            session_id=self.session_id, user_id=self.user_id,
        )  # type: ignore[arg-type]  # fmt: skip
        if not self.is_of_traces:
            writer.insert([usage_rows.to_batch([usage], **common)])  # type: ignore[arg-type]

    def _quarantine(self) -> None:
        arrival = self.arrival(4)
        arrival.batch.column("parent_span_id")[0] = b"abc"  # no codec lets it through
        try:
            writer.insert([arrival.batch])
        except StoreRejected as error:
            said = StoreRejected(f"{error} {self.word}")
            quarantine.store_apart(arrival, said, now=timezone.now())

    def _find(self) -> None:
        detector, _ = Detector.objects.get_or_create(
            project=self.project, template="planted", defaults={"name": "d", "kind": "check"}
        )
        owned = {"project": self.project, "trace_id": self.trace_id.hex()}
        run = DetectorRun.objects.create(
            **owned, detector=detector, detector_version=1, generation=1, summary=self.word
        )
        finding = Finding.objects.create(
            **owned, detector=detector, run=run, generation=1, summary=f"fails: {self.word}",
            confidence=1.0, severity="high", category="x", fingerprint="f" * 32,
        )  # fmt: skip
        Evidence.objects.create(
            project=self.project, finding=finding, number=1, kind="quote", field="output",
            text=self.word, span_name=self.word,
        )  # fmt: skip
        mail = Path(settings.EMAIL_FILE_PATH) / f"20260101-000000-{uuid.uuid4().hex[:6]}.eml"
        mail.parent.mkdir(parents=True, exist_ok=True)
        mail.write_text(f"Subject: {self.word}")
        AlertDelivery.objects.create(
            project=self.project, finding=finding, recipient="a@acme.example",
            state=AlertDelivery.State.WRITTEN,
            error=f"No mail server is configured. The mail is in {mail}",
        )  # fmt: skip
        LogEntry.objects.create(
            user=self.person, content_type=ContentType.objects.get_for_model(Finding),
            object_id=str(finding.pk), object_repr=self.word, action_flag=CHANGE,
        )  # fmt: skip
        marks.mark(self.project.id, self.trace_id, name="finding", source_id="s", label=self.word)
        client.insert(
            "verdicts",
            [[self.project.id], [timezone.now()], [detector.pk], [self.trace_id], [1], [run.pk],
             ["fail"], [self.word], [1]],
            ["project_id", "decided_at", "detector_id", "trace_id", "generation", "run_id",
             "outcome", "summary", "version"],
            ["UUID", "DateTime64(3, 'UTC')", "UUID", "FixedString(16)", "UInt32", "UUID",
             "LowCardinality(String)", "String", "UInt64"],
        )  # fmt: skip

    def _debug(self) -> None:
        session = DebuggingSession.objects.create(
            project=self.project, trace_id=self.trace_id.hex(), trace_name=self.word,
            state="concluded", summary=self.word, report=f'{{"quote": "{self.word}"}}',
            created_at=timezone.now() - timedelta(minutes=1),
        )  # fmt: skip
        Step.objects.create(
            project=self.project, session=session, number=1, kind="read", title=self.word,
            detail=self.word,
        )  # fmt: skip


def in_store(word: str) -> dict[str, int]:
    """Tables and columns of the engine, of every database, that hold the word."""
    found = {}
    columns = client.query(
        "SELECT database, table, name, type FROM system.columns WHERE database = currentDatabase()"
    )
    for row in columns:
        if "String" not in row["type"] or row["table"].endswith("_writer"):
            continue
        name = f"`{row['name']}`"
        if row["name"] == "sources" and row["table"] == "spans":  # never stored
            continue
        rows = client.query(
            f"SELECT count() AS rows FROM {row['table']}"
            f" WHERE position(toString({name}), {{word:String}}) > 0",
            {"word": word},
        )[0]["rows"]
        if rows:
            found[f"{row['table']}.{row['name']}"] = rows
    return found


def in_databases(word: str) -> list[str]:
    """Columns of relational tables that hold the word, in content that is packed too."""
    return sorted(
        {
            f"{model._meta.label}.{field.name}"
            for model in apps.get_models()
            for row in model._base_manager.all()
            for field in model._meta.concrete_fields
            if _holds(_bytes(getattr(row, field.attname)), word.encode())
        }
    )


def in_files(word: str) -> list[str]:
    """Files of the data directory that hold the word, plain or packed."""
    for alias in ("default", "spool"):
        connections[alias].close()
    root = Path(settings.DATA_DIR)
    # Not rglob: the engine removes folders meanwhile, which ends that with an error.
    files = (Path(folder, name) for folder, _, names in os.walk(root) for name in names)
    return sorted(
        str(file.relative_to(root))
        for file in files
        if file.is_file() and _holds(_read(file), word.encode())
    )


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:  # a part that the engine has just removed
        return b""


def _bytes(value: object) -> bytes:
    if isinstance(value, bytes | memoryview):
        return bytes(value)
    return str(value).encode("utf-8", "replace")


def _holds(content: bytes, word: bytes) -> bool:
    return word in content or any(word in unpacked for unpacked in _unpacked(content))


def _unpacked(content: bytes) -> Iterator[bytes]:
    """Frames of lz4, zstd and gzip anywhere in it, and the blocks of the engine's files."""
    yield b"".join(_engine_blocks(content))
    for magic, unpack in ((b"\x04\x22\x4d\x18", _lz4), (b"\x1f\x8b\x08", _gzip),
                          (b"\x28\xb5\x2f\xfd", _zstd)):  # fmt: skip
        at = content.find(magic)
        while at >= 0:
            yield unpack(content[at:])
            at = content.find(magic, at + 1)


def _engine_blocks(content: bytes) -> Iterator[bytes]:
    """Of a file of the engine that is blocks from its beginning to its end: a checksum of 16 bytes,
    the method, the length with method and lengths, the length unpacked, then what is packed.
    """
    at = 16
    while at + 9 <= len(content):
        method, packed, unpacked = struct.unpack_from("<BII", content, at)
        if method not in _METHODS or not 9 < packed <= len(content) - at or unpacked > 2**28:
            return
        body = content[at + 9 : at + packed]
        try:
            yield lz4.block.decompress(body, uncompressed_size=unpacked) if method == _LZ4 else body
        except lz4.block.LZ4BlockError:
            return
        at += packed + 16


def _lz4(content: bytes) -> bytes:
    try:
        return bytes(lz4.frame.LZ4FrameDecompressor().decompress(content))
    except (RuntimeError, EOFError):
        return b""


def _gzip(content: bytes) -> bytes:
    try:
        return zlib.decompressobj(31).decompress(content)
    except (zlib.error, gzip.BadGzipFile):
        return b""


def _zstd(content: bytes) -> bytes:
    try:
        return bytes(zstd.ZstdDecompressor().decompress(content))
    except zstd.ZstdError:
        return b""
