"""Inputs that once reached new code are tried again. `python -m tests.fuzz` finds them."""

from __future__ import annotations

import time

import pytest

from tests.fuzz import kept, seeds
from tests.fuzz.targets import TARGETS

_SECONDS_AN_INPUT = 5.0


@pytest.mark.parametrize("target", TARGETS)
def test_nothing_of_the_corpus_fails(target: str) -> None:
    inputs = kept.read(target)
    assert inputs, "a target without a corpus: run `python -m tests.fuzz`"
    for content in (*seeds.of(target), *inputs):
        began = time.process_time()
        TARGETS[target](content)
        assert time.process_time() - began < _SECONDS_AN_INPUT, content[:200]


def test_the_corpus_is_small_and_of_known_targets() -> None:
    assert {path.stem for path in kept.FOLDER.iterdir()} == set(TARGETS)
    assert sum(len(one) for target in TARGETS for one in kept.read(target)) <= kept.MAX_BYTES
