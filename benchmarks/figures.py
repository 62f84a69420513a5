"""What a benchmark measured, and how it is printed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """A value beside another of the same run: the ratio holds on other machines too."""

    name: str
    value: float
    unit: str
    beside: str
    beside_value: float
    target: float | None = None
    """The most (of times) or the least (of rates) that is promised, in `unit`."""

    @property
    def ratio(self) -> float:
        return self.value / self.beside_value if self.beside_value else float("nan")

    @property
    def is_met(self) -> bool:
        if self.target is None:
            return True
        is_rate = self.unit.endswith("/s")
        return self.value >= self.target if is_rate else self.value <= self.target


def quantile(values: Sequence[float], share: float) -> float:
    """The value that `share` of the sample does not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, min(len(ordered) - 1, round(share * len(ordered) + 0.5) - 1))]


def load() -> str:
    one, five, _ = os.getloadavg()
    return f"load {one:.1f} (1 min), {five:.1f} (5 min) on {os.cpu_count()} processors"


def show(figures: Sequence[Figure]) -> None:
    for figure in figures:
        promise = ""
        if figure.target is not None:
            word = "met" if figure.is_met else "MISSED"
            promise = f"   target {figure.target:,.0f} {figure.unit}: {word}"
        print(
            f"  {figure.name}: {figure.value:,.0f} {figure.unit}; {figure.beside}: "
            f"{figure.beside_value:,.0f} {figure.unit}; ratio {figure.ratio:.2f}{promise}",
            flush=True,
        )
