"""The client of the language models. Address and key come from the environment."""

from __future__ import annotations

from functools import cache

from openai import OpenAI

LARGE = "gpt-4.1"
SMALL = "gpt-4.1-mini"


@cache
def client() -> OpenAI:
    return OpenAI(timeout=180, max_retries=2)
