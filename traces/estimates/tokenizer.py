"""Counts the tokens of texts as OpenAI's tokenisers do it, with tiktoken.

The vocabularies are files inside of the litellm package. They are read here and not by tiktoken,
which would fetch what it does not find: nothing is ever downloaded. An encoding takes 45 or 80 MB
while it is loaded; `release` gives that back when the work is done.
"""

from __future__ import annotations

import base64
import hashlib
import re
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import tiktoken
from tiktoken import model as published

from traces.pricing import names

MOST_CHARS = 1_000_000
"""So much of a side of a call is counted, the rest is taken to be alike."""
_SLICE_CHARS = 8_000
_LOOK_BACK_CHARS = 200
_DIRECTORY = "litellm/litellm_core_utils/tokenizers"
# What stands in a text as a picture's bytes; no model reads these as text.
_MEDIA = re.compile(r"data:[\w.+-]+/[\w.+-]+;base64,[A-Za-z0-9+/=]+")


class EncodingMissing(Exception):
    """The installed litellm does not hold this encoding's vocabulary, or another one."""


@dataclass(frozen=True, slots=True)
class _Published:
    """File of the vocabulary, its SHA-256, and how text is split before it is encoded."""

    file: str
    sha256: str
    pattern: str


CL100K = "cl100k_base"
O200K = "o200k_base"
_ENCODINGS = {
    CL100K: _Published(
        "9b5ad71b2ce5302211f9c61530b329a4922fc6a4",
        "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
        r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+"
        r"| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s",
    ),
    O200K: _Published(
        "fb374d419588a4632f3f557e76b4b70aebbca790",
        "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
        r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
        r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    ),
}


@dataclass(frozen=True, slots=True)
class Tokenizer:
    name: str
    encoding: tiktoken.Encoding

    def count(self, texts: Iterable[str]) -> int:
        """Tokens of all texts together. Signs of special tokens are text like any other."""
        listed = [_without_media(text) for text in texts]
        chars = sum(map(len, listed))
        if chars <= MOST_CHARS:
            return sum(map(self._count, listed))
        counted = sum(map(self._count, _beginning(listed)))
        return round(counted * chars / MOST_CHARS)

    def _count(self, text: str) -> int:
        """In slices: of one long word the time would grow with the square of its length."""
        return sum(len(self.encoding.encode_ordinary(part)) for part in _slices(text))


_loaded: dict[str, Tokenizer] = {}
_lock = threading.Lock()


def of_model(model: str) -> Tokenizer:
    """The model's own, where OpenAI has published which one that is, else cl100k_base.

    Raises EncodingMissing.
    """
    name = name_of(model)
    with _lock:
        if name not in _loaded:
            _loaded[name] = Tokenizer(name, _load(name))
        return _loaded[name]


def name_of(model: str) -> str:
    for name in names.candidates(model, ""):
        try:
            found = published.encoding_name_for_model(name)
        except KeyError:
            continue
        return O200K if found.startswith("o200k") else CL100K
    return CL100K


def release() -> None:
    """Forgets the vocabularies; the next text loads them again, in a quarter of a second."""
    with _lock:
        _loaded.clear()


def _load(name: str) -> tiktoken.Encoding:
    made = _ENCODINGS[name]
    path = Path(str(metadata.distribution("litellm").locate_file(f"{_DIRECTORY}/{made.file}")))
    try:
        content = path.read_bytes()
    except OSError as error:
        raise EncodingMissing(f"The vocabulary of {name} is not at {path}.") from error
    if hashlib.sha256(content).hexdigest() != made.sha256:
        raise EncodingMissing(f"The file {path} is not the published vocabulary of {name}.")
    ranks = {
        base64.b64decode(token): int(rank)
        for token, rank in (line.split() for line in content.splitlines())
    }
    return tiktoken.Encoding(name, pat_str=made.pattern, mergeable_ranks=ranks, special_tokens={})


def _without_media(text: str) -> str:
    return _MEDIA.sub("", text) if ";base64," in text else text


def _beginning(texts: Sequence[str]) -> Iterator[str]:
    left = MOST_CHARS
    for text in texts:
        yield text[:left]
        left -= len(text)
        if left <= 0:
            return


def _slices(text: str) -> Iterator[str]:
    """Ends before white space where there is some: a token begins with it."""
    start = 0
    while start < len(text):
        end = start + _SLICE_CHARS
        if end < len(text):
            low = end - _LOOK_BACK_CHARS
            space = max(text.rfind(" ", low, end), text.rfind("\n", low, end))
            end = space if space > 0 else end
        yield text[start:end]
        start = end
