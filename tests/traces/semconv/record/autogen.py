"""AutoGen: an assistant with one tool."""

from __future__ import annotations

import asyncio

from exporting import QUESTION, get_weather, provider

tracer_provider = provider()

from autogen_agentchat.agents import AssistantAgent  # noqa: E402
from autogen_ext.models.openai import OpenAIChatCompletionClient  # noqa: E402


async def weather(city: str) -> str:
    """The weather in a city."""
    return get_weather(city)


weather.__name__ = "get_weather"


async def main() -> None:
    agent = AssistantAgent(
        "assistant",
        model_client=OpenAIChatCompletionClient(model="gpt-4o-mini"),
        tools=[weather],
        reflect_on_tool_use=True,
    )
    await agent.run(task=QUESTION)


asyncio.run(main())
tracer_provider.force_flush()
