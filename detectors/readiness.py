"""Whether a detector looks at new traces, and if not, why: for pages and for the sweep."""

from __future__ import annotations

from detectors import judge
from detectors.checks.registry import BY_SLUG
from detectors.models import Detector

NO_MODEL = (
    "No judge model is configured on this server. Set TRACEROOT_JUDGE_MODEL (and "
    "TRACEROOT_JUDGE_API_KEY, or TRACEROOT_JUDGE_BASE_URL for a model server of your own), "
    "then restart."
)


def why_off(detector: Detector) -> str:
    """Empty when it runs; else a sentence for people."""
    if not detector.is_enabled:
        return "An admin turned it off."
    if detector.kind == Detector.Kind.JUDGE and judge.configured() is None:
        return NO_MODEL
    if detector.kind == Detector.Kind.CHECK and detector.template not in BY_SLUG:
        return f"This version of TraceRoot has no check named {detector.template}."
    if detector.sample_rate <= 0:
        return "Its sample rate is 0."
    return ""
