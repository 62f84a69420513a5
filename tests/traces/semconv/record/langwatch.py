"""LangWatch's decorators, a span by hand, and contexts of a retrieval."""

from __future__ import annotations

import os

from exporting import OTHER_QUESTION, get_weather

os.environ["LANGWATCH_API_KEY"] = "recorded"
os.environ["LANGWATCH_ENDPOINT"] = os.environ["OTLP_URL"]

import langwatch
from openai import OpenAI

langwatch.setup(api_key="recorded", endpoint_url=os.environ["OTLP_URL"])
model = OpenAI()


@langwatch.span(type="tool", name="get_weather")
def weather(city: str) -> str:
    return get_weather(city)


@langwatch.span(type="rag", name="search")
def search(query: str) -> list[str]:
    langwatch.get_current_span().update(
        contexts=[{"document_id": "1", "chunk_id": "a", "content": "Paris is in France."}]
    )
    return ["Paris is in France."]


@langwatch.span(type="llm", name="answer")
def complete(question: str) -> str:
    messages = [{"role": "user", "content": question}]
    completion = model.chat.completions.create(
        model="gpt-4o-mini", messages=messages, temperature=0.2
    )
    langwatch.get_current_span().update(
        model="openai/gpt-4o-mini",
        input=messages,
        params={"temperature": 0.2},
        metrics={
            "prompt_tokens": completion.usage.prompt_tokens,
            "completion_tokens": completion.usage.completion_tokens,
            "cost": 0.003,
        },
    )
    return completion.choices[0].message.content


@langwatch.trace(
    name="assistant",
    metadata={"thread_id": "session-1", "user_id": "ada", "customer_id": "acme", "labels": ["x"]},
)
def answer(question: str) -> str:
    search(question)
    weather("Paris")
    return complete(question)


answer(OTHER_QUESTION)

from opentelemetry import trace  # noqa: E402

trace.get_tracer_provider().force_flush()
