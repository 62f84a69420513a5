"""What was typed into a search, as what the engine is asked: words, phrases, pairs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from traces.store import text_index
from traces.store.filters import terms

_TOKEN = re.compile(r"[a-z0-9\u0080-\U0010ffff]+")
# The scripts of text_index.UNSPACED_TEXT, as ranges: here only for splitting what was typed.
_UNSPACED = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3005-\u3007\u3021-\u3029\u3031-\u30ff"
    r"\u3131-\u318e\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff"
    r"\U00020000-\U0003134f]+"
)


@dataclass(frozen=True, slots=True)
class Words:
    """What is searched, in lower case: whole words, texts that must stand as they are, and pairs of
    characters of unspaced scripts, which only narrow the search down.
    """

    tokens: tuple[str, ...]
    phrases: tuple[str, ...]
    pairs: tuple[str, ...]
    shown: str

    @property
    def helps_the_index(self) -> bool:
        return bool(self.tokens or self.pairs)

    def fragments(self, *, is_indexed: bool) -> tuple[str, ...]:
        text, unspaced = text_index.TEXT, text_index.UNSPACED_TEXT
        found = []
        if self.tokens:
            found.append(f"hasAllTokens({text}, {{tokens:Array(String)}})")
        if self.pairs and is_indexed:
            tokenizer = text_index.UNSPACED_TOKENIZER
            found.append(f"hasAllTokens({unspaced}, {{pairs:Array(String)}}, '{tokenizer}')")
        if self.phrases:
            found.append(
                f"arrayAll(phrase -> position({text}, phrase) > 0, {{phrases:Array(String)}})"
            )
        return tuple(found)

    def parameters(self) -> dict[str, Any]:
        return {
            "tokens": list(self.tokens),
            "phrases": list(self.phrases),
            "pairs": list(self.pairs),
            "shown": self.shown,
        }


def of(text: str) -> Words | None:
    """What a search for `text` looks for; None when there is nothing in it."""
    found = [_lower(term) for term in terms(text)]
    if not found:
        return None
    tokens: list[str] = []
    phrases: list[str] = []
    pairs: list[str] = []
    for term in found:
        plain = [token for token in _TOKEN.findall(term) if not _UNSPACED.search(token)]
        tokens += plain
        if plain != [term]:
            phrases.append(term)
        for run in _UNSPACED.findall(term):
            pairs += [run[at : at + 2] for at in range(len(run) - 1)]
    return Words(
        tokens=tuple(dict.fromkeys(tokens)),
        phrases=tuple(dict.fromkeys(phrases)),
        pairs=tuple(dict.fromkeys(pairs)),
        shown=found[0],
    )


def _lower(text: str) -> str:
    """Character by character, as the engine's lowerUTF8 does it."""
    return "".join(character.lower() for character in text)
