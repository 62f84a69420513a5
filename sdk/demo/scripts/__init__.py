"""The scripts that ship: one name, one line."""

from __future__ import annotations

from collections.abc import Callable

from sdk.demo.scripting import Reply, Rule, Script
from sdk.demo.scripts import coding, judge, research, support

_WARM_UP = Rule(Reply("Ready.", seconds=0.0), user=r"\Awarm up\Z")


def demo() -> Script:
    """Everything that the demo's three agents and its judge ask."""
    rules = (_WARM_UP, *judge.RULES, *coding.RULES, *research.RULES, *support.RULES)
    return Script(rules, models=("gpt-4.1", "gpt-4.1-mini", judge.MODEL), tempo=_demo_seconds)


def echo() -> Script:
    """Repeats the last user message; for trying a client out."""
    return Script([Rule(lambda request: Reply(request.user or "(nothing was said)"))])


NAMES: dict[str, Callable[[], Script]] = {"demo": demo, "echo": echo}


def load(name: str) -> Script:
    return NAMES[name]()


def _demo_seconds(prompt_tokens: int, completion_tokens: int) -> float:
    return 0.9 + prompt_tokens / 9_000 + completion_tokens / 45
