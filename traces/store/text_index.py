"""The full-text index of spans: off by default, added and built by a command.

It answers rare words in milliseconds and costs disk and inserts. Searches ask the same question
with and without it: the predicate is exact, the index only saves reading. Two indexes: words (runs
of ASCII letters and digits and of all other characters), and pairs of neighbouring characters for
scripts that are written without spaces.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from traces.store import client, cluster

TEXT = "lowerUTF8(concatWithSeparator('\\n', name, status_message, error_message, input, output))"
"""What is searched. An index serves only the expression it was made with, word for word."""
_SCRIPTS = "".join(
    rf"\\p{{{script}}}"
    for script in ("Han", "Hiragana", "Katakana", "Hangul", "Thai", "Lao", "Khmer", "Myanmar")
)
UNSPACED_TEXT = f"replaceRegexpAll({TEXT}, '[^{_SCRIPTS}]+', ' ')"
UNSPACED_TOKENIZER = "ngrams(2)"
INDEXES = {
    "text_words": f"{TEXT} TYPE text(tokenizer = splitByNonAlpha)",
    "text_unspaced": f"{UNSPACED_TEXT} TYPE text(tokenizer = {UNSPACED_TOKENIZER})",
}
_REMEMBER_SECONDS = 30.0
_BUILDS = "command LIKE '%MATERIALIZE INDEX text\\\\_%'"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the index is: parts of the table that still have to be rewritten."""

    is_added: bool
    parts_to_do: int
    failure: str
    disk_bytes: int

    @property
    def is_built(self) -> bool:
        return self.is_added and not self.parts_to_do


def add() -> None:
    """Add the index; new spans are indexed from now on. Those stored before: `build`."""
    for name, definition in INDEXES.items():
        _alter(f"ADD INDEX IF NOT EXISTS {name} {definition}")
    _forget()


def build() -> None:
    """Index what is stored, in the background of the engine; `progress` says how far it is."""
    both = ", ".join(f"MATERIALIZE INDEX {name}" for name in INDEXES)
    _alter(f"{both} SETTINGS mutations_sync = 0")


def drop() -> None:
    """Remove the index and its files, and stop building it."""
    client.command(
        "KILL MUTATION WHERE database = currentDatabase() AND table = {table:String}"
        f" AND {_BUILDS}",
        {"table": cluster.stored_name("spans")},
    )
    for name in INDEXES:
        _alter(f"DROP INDEX IF EXISTS {name}")
    _forget()


def progress() -> Progress:
    """Raises StoreUnavailable."""
    table = {"table": cluster.stored_name("spans")}
    named = ", ".join(f"'{name}'" for name in INDEXES)
    indexes = client.query(
        "SELECT count() AS indexes, sum(data_compressed_bytes) AS bytes"
        " FROM system.data_skipping_indices"
        " WHERE database = currentDatabase() AND table = {table:String}"
        f" AND name IN ({named})",
        table,
    )[0]
    mutations = client.query(
        "SELECT sum(parts_to_do) AS parts,"
        " anyIf(latest_fail_reason, latest_fail_reason != '') AS said"
        " FROM system.mutations"
        " WHERE database = currentDatabase() AND table = {table:String} AND NOT is_done"
        f" AND {_BUILDS}",
        table,
    )[0]
    return Progress(
        is_added=indexes["indexes"] == len(INDEXES),
        parts_to_do=mutations["parts"],
        failure=mutations["said"],
        disk_bytes=indexes["bytes"],
    )


_remembered: tuple[float, bool] | None = None


def is_built() -> bool:
    """Whether searches may count on the index; remembered for half a minute."""
    global _remembered
    now = time.monotonic()
    if _remembered is None or _remembered[0] < now:
        _remembered = (now + _REMEMBER_SECONDS, progress().is_built)
    return _remembered[1]


def _forget() -> None:
    global _remembered
    _remembered = None


def _alter(change: str) -> None:
    for rendered in cluster.render(f"ALTER TABLE spans {change}"):
        client.command(rendered)
