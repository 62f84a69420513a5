"""A commit under suspicion: its evidence, and how strong it is together."""

from __future__ import annotations

from dataclasses import dataclass, field

from debugging.history import Commit

WROTE = "wrote"


@dataclass(slots=True)
class Suspect:
    commit: Commit
    evidence: dict[str, tuple[float, tuple[str, ...], str | None]] = field(default_factory=dict)
    best_hunk: tuple[float, str, str] | None = None
    factor: float = 1.0

    def add(self, phrase: str, weight: float, spans: tuple[str, ...], path: str | None) -> None:
        known = self.evidence.get(phrase)
        if known is None or known[0] < weight:
            self.evidence[phrase] = (weight, spans, path)

    def discount_writing(self, path: str) -> None:
        """The commit made the file, so it changed nothing in it that had run before."""
        for phrase, (weight, spans, where) in list(self.evidence.items()):
            if where == path and phrase.startswith("changed "):
                del self.evidence[phrase]
                self.add(phrase.replace("changed", WROTE, 1), weight * 0.45, spans, where)

    def strength(self, recent: float) -> float:
        """Chance that at least one piece of evidence is right; many weak lines of one file
        must not outweigh one strong one, so each further piece counts less. To have written code
        that then ran well counts once, however much of it there is."""
        doubt, share = 1.0, 1.0
        changed = [one[0] for name, one in self.evidence.items() if not name.startswith(WROTE)]
        wrote = [
            one[0] * (0.3 + 0.7 * recent)
            for name, one in self.evidence.items()
            if name.startswith(WROTE)
        ]
        for weight in sorted([*changed, *sorted(wrote)[-1:]], reverse=True)[:8]:
            doubt *= 1 - min(0.98, weight * 0.9) * share
            share *= 0.6
        return (1 - doubt) * self.factor
