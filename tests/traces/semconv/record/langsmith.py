"""LangSmith in OpenTelemetry mode: its decorator and its OpenAI wrapper."""

from __future__ import annotations

import os

from exporting import OTHER_QUESTION, get_weather, provider

os.environ["LANGSMITH_TRACING"] = "true"
os.environ["LANGSMITH_OTEL_ENABLED"] = "true"
os.environ["LANGSMITH_OTEL_ONLY"] = "true"
os.environ["LANGSMITH_API_KEY"] = "recorded"
os.environ["LANGSMITH_ENDPOINT"] = "http://127.0.0.1:1"
tracer_provider = provider()

from langsmith import Client, traceable  # noqa: E402
from langsmith.wrappers import wrap_openai  # noqa: E402
from openai import OpenAI  # noqa: E402

client = Client()
model = wrap_openai(OpenAI())


@traceable(run_type="tool", name="get_weather", client=client)
def weather(city: str) -> str:
    return get_weather(city)


@traceable(run_type="retriever", name="search", client=client)
def search(query: str) -> list[dict[str, object]]:
    return [{"page_content": "Paris is in France.", "type": "Document", "metadata": {}}]


@traceable(
    name="assistant",
    client=client,
    tags=["weather", "demo"],
    metadata={"session_id": "session-1", "user_id": "ada"},
)
def answer(question: str) -> str:
    search(question)
    weather("Paris")
    completion = model.chat.completions.create(
        model="gpt-4o-mini",
        messages=[{"role": "user", "content": question}],
        temperature=0.2,
    )
    return completion.choices[0].message.content


answer(OTHER_QUESTION)
client.flush()
tracer_provider.force_flush()
