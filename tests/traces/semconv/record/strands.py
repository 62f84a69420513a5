"""A Strands agent with one tool."""

from __future__ import annotations

import os

from exporting import QUESTION, get_weather, provider

tracer_provider = provider()

from strands import Agent, tool  # noqa: E402
from strands.models.openai import OpenAIModel  # noqa: E402


@tool(name="get_weather")
def weather(city: str) -> str:
    """The weather in a city.

    Args:
        city: The city's name.
    """
    return get_weather(city)


agent = Agent(
    model=OpenAIModel(
        client_args={
            "api_key": os.environ["OPENAI_API_KEY"],
            "base_url": os.environ["OPENAI_BASE_URL"],
        },
        model_id="gpt-4o-mini",
    ),
    tools=[weather],
    name="assistant",
    system_prompt="Be brief.",
    trace_attributes={"session.id": "session-1", "user.id": "ada"},
    callback_handler=None,
)
agent(QUESTION)
tracer_provider.force_flush()
