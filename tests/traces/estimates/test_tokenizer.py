"""Texts are counted as the published tokenisers count them, in bounded time, without a network."""

from __future__ import annotations

import socket
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import tiktoken

from traces.estimates import tokenizer
from traces.estimates.tokenizer import CL100K, MOST_CHARS, O200K, EncodingMissing

SAMPLES = (
    "Summarise the quarterly figures, please.",
    "größe naïve 東京 مرحبا 🙂 — don't, I'LL, we've",
    "def f(x):\n\treturn  x + 1234567   \n\n\n# end  ",
    '{"role": "user", "content": [1, 2.5, null]}',
    "   ",
    "",
)


@pytest.fixture(autouse=True)
def _without_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise AssertionError(f"somebody asks the network: {args}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", "")  # where tiktoken would always download
    tokenizer.release()


@pytest.mark.parametrize(("model", "name"), [("gpt-4", CL100K), ("gpt-4o", O200K)])
def test_texts_count_as_tiktoken_itself_counts_them(
    model: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundled = metadata.distribution("litellm").locate_file("litellm/litellm_core_utils/tokenizers")
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(bundled))
    theirs = tiktoken.get_encoding(name)
    ours = tokenizer.of_model(model)
    assert ours.name == name
    for text in SAMPLES:
        assert ours.count([text]) == len(theirs.encode(text, disallowed_special=())), text


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("gpt-4o-2024-08-06", O200K),
        ("gpt-4.1-mini", O200K),
        ("gpt-5-nano", O200K),
        ("o1", O200K),
        ("o3-mini", O200K),
        ("o4-mini-2025-04-16", O200K),
        ("openai/gpt-4o", O200K),
        ("azure/gpt-4o-mini", O200K),
        ("gpt-oss-120b", O200K),
        ("gpt-4", CL100K),
        ("gpt-3.5-turbo-0125", CL100K),
        ("text-embedding-3-small", CL100K),
        ("text-davinci-003", CL100K),
        ("claude-sonnet-4-5", CL100K),
        ("us.anthropic.claude-3-haiku-20240307-v1:0", CL100K),
        ("our-model", CL100K),
        ("", CL100K),
        ("x" * 10_000, CL100K),
    ],
)
def test_the_model_decides_the_encoding(model: str, name: str) -> None:
    assert tokenizer.name_of(model) == name


def test_signs_of_special_tokens_are_text() -> None:
    counter = tokenizer.of_model("gpt-4o")
    assert counter.count(["a <|endoftext|> b <|im_start|>"]) > 6


@pytest.mark.parametrize("text", ["a", " ", "\n", "1", "é", "=", "ab ", "🙂"])
def test_a_million_of_the_same_is_encoded_in_short_pieces(text: str) -> None:
    """The time of one piece grows with the square of its length."""
    pieces: list[str] = []

    class Encoding:
        def encode_ordinary(self, piece: str) -> list[int]:
            pieces.append(piece)
            return [1]

    sent = text * (MOST_CHARS // len(text))
    tokenizer.Tokenizer(O200K, Encoding()).count([sent])  # type: ignore[arg-type]
    assert "".join(pieces) == sent
    assert max(map(len, pieces)) <= tokenizer._SLICE_CHARS


def test_slices_change_little() -> None:
    text = "The quick brown fox jumps over the lazy dog, again and again.\n" * 2_000
    counter = tokenizer.of_model("gpt-4o")
    whole = len(counter.encoding.encode_ordinary(text))
    assert abs(counter.count([text]) - whole) <= whole * 0.005


def test_beyond_the_limit_the_rest_is_taken_to_be_alike() -> None:
    counter = tokenizer.of_model("gpt-4o")
    text = "word " * (MOST_CHARS // 5)
    assert counter.count([text, text, text]) == pytest.approx(3 * counter.count([text]), rel=0.001)


def test_a_picture_in_a_text_counts_nothing() -> None:
    counter = tokenizer.of_model("gpt-4o")
    picture = "data:image/png;base64," + "iVBORw0KGgo" * 5_000
    assert counter.count([f"see {picture} here"]) == counter.count(["see  here"])


def test_no_other_file_is_taken_for_a_vocabulary(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Elsewhere:
        def locate_file(self, name: str) -> Path:
            return tmp_path / Path(name).name

    monkeypatch.setattr(metadata, "distribution", lambda name: Elsewhere())
    with pytest.raises(EncodingMissing, match="is not at"):
        tokenizer.of_model("gpt-4o")
    for made in tokenizer._ENCODINGS.values():
        (tmp_path / made.file).write_bytes(b"aGk= 0\n")
    with pytest.raises(EncodingMissing, match="is not the published"):
        tokenizer.of_model("gpt-4o")


def test_what_was_loaded_is_given_back() -> None:
    tokenizer.of_model("gpt-4o")
    tokenizer.release()
    assert not tokenizer._loaded
