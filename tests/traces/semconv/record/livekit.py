"""LiveKit Agents: a text session of an agent with one tool."""

from __future__ import annotations

import asyncio

from exporting import QUESTION, get_weather, provider

tracer_provider = provider()

from livekit.agents import Agent, AgentSession, function_tool  # noqa: E402
from livekit.agents.telemetry import set_tracer_provider  # noqa: E402
from livekit.plugins import openai  # noqa: E402

set_tracer_provider(tracer_provider)


class Assistant(Agent):
    def __init__(self) -> None:
        super().__init__(instructions="Be brief.")

    @function_tool
    async def get_weather(self, city: str) -> str:
        """The weather in a city."""
        return get_weather(city)


async def main() -> None:
    async with AgentSession(llm=openai.LLM(model="gpt-4o-mini")) as session:
        await session.start(Assistant())
        await session.run(user_input=QUESTION)


asyncio.run(main())
tracer_provider.force_flush()
