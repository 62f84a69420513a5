"""What a rule would have dropped of the stored spans: the same rule, asked of the store."""

from __future__ import annotations

import re
from dataclasses import dataclass
from uuid import UUID

from traces.admission.rules import Match, Rule
from traces.otlp import json_values
from traces.semconv import reading
from traces.store import client, statements

HOURS = 24
# Fixed fragments; what people type comes in by parameters.
_MATCHES: dict[Match, str] = {
    "name": "match(substringUTF8(name, 1, 1000), {glob:String})",
    "scope": "match(substringUTF8(JSONExtractString(scope_json, 'name'), 1, 1000), {glob:String})",
    "kind": "kind = {pattern:String}",
    "attribute": (
        "(mapContains(attributes_string, {key:String})"
        " AND attributes_string[{key:String}] = {pattern:String})"
        " OR attributes_json[{key:String}] = {exact:String}"
        " OR (attributes_json[{key:String}] = '@input' AND input = {pattern:String})"
        " OR (attributes_json[{key:String}] = '@output' AND output = {pattern:String})"
    ),
    "infrastructure": "is_infrastructure",
}


@dataclass(frozen=True, slots=True)
class Preview:
    spans: int
    dropped: int

    @property
    def percent(self) -> float:
        return 100 * self.dropped / self.spans if self.spans else 0.0


def of(project_id: UUID, rule: Rule, *, now: float) -> Preview:
    """Of the last 24 hours, as far as they are stored. Raises StoreError."""
    parameters = {
        "project_id": str(project_id),
        "since": int(now) - HOURS * 3600,
        "drops_failed": rule.drops_failed,
        "glob": _glob(rule.pattern),
        "pattern": rule.pattern,
        "key": rule.key,
        "exact": _exact(rule.pattern),
    }
    query = statements.with_filter("rule_preview", value=_MATCHES[rule.match])
    [row] = client.query(query, parameters)
    return Preview(row["spans"], row["dropped"])


def _glob(pattern: str) -> str:
    """For the engine's RE2, which takes time in proportion to the text, whatever the pattern."""
    wild = {"*": ".*", "?": "."}
    return "(?s)^" + "".join(wild.get(char) or re.escape(char) for char in pattern) + "$"


def _exact(pattern: str) -> str:
    """What no text is stored as: a number or a truth value that reads like the pattern."""
    value = reading.parsed_json(pattern)
    if isinstance(value, bool | int | float):
        return json_values.value_to_json(value)
    return "none"
