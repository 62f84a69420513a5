"""The table of checks. A new one is a module and a line here."""

from __future__ import annotations

from detectors.checks.check import Check
from detectors.checks.repeated_call import RepeatedCall
from detectors.checks.tool_failure import ToolFailure

CHECKS: tuple[Check, ...] = (ToolFailure(), RepeatedCall())
BY_SLUG: dict[str, Check] = {check.slug: check for check in CHECKS}
