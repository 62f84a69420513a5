"""Which traces a list shows: a small, fixed set of conditions, compiled to fragments and parameters.

The query language of the explorer compiles to the same shape.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

_FAR_FUTURE = 4_102_444_800  # 2100-01-01, s


@dataclass(frozen=True, slots=True)
class TraceFilter:
    """Empty fields do not filter. `since` is inclusive, `until` exclusive; both are trace start times."""

    since: datetime | None = None
    until: datetime | None = None
    status: str = ""
    name: str = ""
    text: str = ""
    session_id: str = ""
    user_id: str = ""
    has_finding: bool | None = None
    include_evaluations: bool = False

    def parameters(self) -> dict[str, Any]:
        """Time bounds and values, named as the fragments and the query files name them."""
        since = self.since.astimezone(UTC).timestamp() if self.since else 0.0
        until = self.until.astimezone(UTC).timestamp() if self.until else float(_FAR_FUTURE)
        return {
            "since": max(0, int(since)),
            "until": max(0, int(until)),
            "since_ns": max(0, int(since * 1e9)),
            "until_ns": max(0, int(until * 1e9)),
            "include_evaluations": self.include_evaluations,
            "status": self.status,
            "name": self.name,
            "text": self.text,
            "session_id": self.session_id,
            "user_id": self.user_id,
        }

    def settled_fragments(self) -> tuple[str, ...]:
        fragments = []
        if self.status:
            fragments.append("status = {status:String}")
        if self.name:
            fragments.append("positionCaseInsensitiveUTF8(name, {name:String}) > 0")
        if self.text:
            fragments.append(
                "positionCaseInsensitiveUTF8(input_preview, {text:String}) > 0"
                " OR positionCaseInsensitiveUTF8(output_preview, {text:String}) > 0"
                " OR positionCaseInsensitiveUTF8(name, {text:String}) > 0"
                " OR session_id = {text:String} OR user_id = {text:String}"
                " OR lower(hex(trace_id)) = lower({text:String})"
            )
        if self.session_id:
            fragments.append("session_id = {session_id:String}")
        if self.user_id:
            fragments.append("user_id = {user_id:String}")
        if self.has_finding is not None:
            negation = "" if self.has_finding else "NOT "
            fragments.append(
                f"trace_id {negation}IN (SELECT trace_id FROM trace_marks FINAL WHERE"
                " project_id = {project_id:UUID} AND name = 'finding' AND NOT is_removed)"
            )
        return tuple(fragments)

    def matches_running(self, name: str, session_id: str, user_id: str, has_error: bool) -> bool:
        """The same conditions on what is known of a trace that still runs (it has no findings yet)."""
        if self.has_finding or (self.status and self.status != "running"):
            return self.status == "error" and has_error and not self.has_finding
        wanted = self.text.lower()
        return (
            self.name.lower() in name.lower()
            and (not wanted or wanted in name.lower() or wanted in {session_id.lower(), user_id.lower()})
            and self.session_id in {"", session_id}
            and self.user_id in {"", user_id}
        )
