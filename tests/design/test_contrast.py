"""Every pair of colours that the product relies on is readable in both themes (WCAG 2.2, AA),
and the marks of fail, warn and pass stay apart with deuteranopia and protanopia."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest

TOKENS = Path(__file__).resolve().parents[2] / "static" / "css" / "tokens.css"
COLOURS = {
    match[1]: (match[2], match[3])
    for match in re.finditer(
        r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", TOKENS.read_text(encoding="utf-8")
    )
}
THEMES = {"light": 0, "dark": 1}
SURFACES = ("canvas", "surface", "raised", "sunken", "hover")
KINDS = (
    "llm",
    "agent",
    "tool",
    "retriever",
    "embedding",
    "guardrail",
    "evaluator",
    "chain",
    "infra",
)
STATES = ("fail", "warn", "pass", "abstain", "live")
CODE = ("keyword", "string", "number", "name", "comment")
LEAST_DISTANCE = 0.08
# Machado, Oliveira and Fernandes 2009, severity 1, on linear RGB.
VISION = {
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
}


def relied_on() -> list[tuple[str, str, float]]:
    """(front, back, least contrast) of text and marks on what they stand on."""
    text = [(t, s, 4.5) for t in ("text", "text-2", "text-3", "accent") for s in SURFACES]
    text += [
        (f"severity-{s}", b, 4.5) for s in ("critical", "high", "medium", "low") for b in SURFACES
    ]
    text += [("text", "pressed", 7), ("text-2", "pressed", 4.5), ("text", "mark", 7)]
    text += [(t, "accent-soft", 4.5) for t in ("text-2", "text-3", "accent")]
    text += [("on-accent", "accent-solid", 4.5), ("on-accent", "accent-solid-hover", 4.5)]
    text += [("text", "diff-add-mark", 4.5), ("text", "diff-remove-mark", 4.5)]
    for state in STATES:
        soft = f"{state}-soft"
        text += [(state, s, 4.5) for s in (*SURFACES, soft)]
        text += [("text", soft, 7), ("text-2", soft, 4.5), ("text-3", soft, 4.5)]
    for kind in KINDS:
        text += [
            (f"kind-{kind}", s, 4.5) for s in ("surface", "raised", "hover", f"kind-{kind}-soft")
        ]
    behind_code = ("surface", "sunken", "diff-add", "diff-remove", "fail-soft")
    text += [(f"code-{code}", s, 4.5) for code in CODE for s in behind_code]
    marks = [
        ("line-control", "surface", 3),
        ("line-control", "canvas", 3),
        ("warn", "surface", 4.5),
    ]
    marks += [(f"{s}-fill", "surface", 3) for s in STATES if s != "warn"]
    marks += [(f"kind-{kind}-bar", s, 3) for kind in KINDS for s in ("surface", "canvas")]
    marks += [(f"series-{n}", "surface", 3) for n in (1, 3, 5)]
    return text + marks


def linear(colour: str) -> tuple[float, float, float]:
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return _linear(red), _linear(green), _linear(blue)


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)


def contrast(first: str, second: str) -> float:
    """Contrast ratio by WCAG 2.2, 1 to 21."""
    weights = (0.2126, 0.7152, 0.0722)
    dark, light = sorted(
        sum(w * part for w, part in zip(weights, linear(colour), strict=True))
        for colour in (first, second)
    )
    return (light + 0.05) / (dark + 0.05)


def oklab(rgb: tuple[float, ...]) -> tuple[float, float, float]:
    """Perceptual coordinates of a linear colour (Ottosson 2020)."""
    r, g, b = (max(0.0, part) for part in rgb)
    long = (0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b) ** (1 / 3)
    middle = (0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b) ** (1 / 3)
    short = (0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b) ** (1 / 3)
    return (
        0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short,
    )


def distance(first: str, second: str, vision: tuple[tuple[float, ...], ...]) -> float:
    """How far two colours stand apart in OKLab for somebody with this vision."""
    seen = [
        oklab(tuple(sum(k * v for k, v in zip(row, linear(c), strict=True)) for row in vision))
        for c in (first, second)
    ]
    return float(sum((p - q) ** 2 for p, q in zip(*seen, strict=True)) ** 0.5)


@pytest.mark.parametrize("theme", THEMES)
def test_every_pair_that_text_and_marks_rely_on_has_enough_contrast(theme: str) -> None:
    at = THEMES[theme]
    pairs = relied_on()
    low = [
        f"{front} on {back}: {got:.2f}, needs {least}"
        for front, back, least in pairs
        if (got := contrast(COLOURS[front][at], COLOURS[back][at])) < least
    ]
    assert len(pairs) == 184
    assert low == []


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("vision", VISION)
def test_fail_warn_and_pass_stay_apart_without_red_or_green_cones(theme: str, vision: str) -> None:
    at = THEMES[theme]
    marks = ("fail-fill", "warn-fill", "pass-fill")
    for one, other in itertools.combinations(marks, 2):
        got = distance(COLOURS[one][at], COLOURS[other][at], VISION[vision])
        assert got >= LEAST_DISTANCE, f"{one} and {other}: {got:.3f}"
