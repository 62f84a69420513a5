"""Semantic Kernel: a chat agent with one function, diagnostics with content switched on."""

from __future__ import annotations

import asyncio
import os

os.environ["SEMANTICKERNEL_EXPERIMENTAL_GENAI_ENABLE_OTEL_DIAGNOSTICS"] = "true"
os.environ["SEMANTICKERNEL_EXPERIMENTAL_GENAI_ENABLE_OTEL_DIAGNOSTICS_SENSITIVE"] = "true"

from typing import Annotated

from exporting import QUESTION, get_weather, provider

tracer_provider = provider()

from openai import AsyncOpenAI  # noqa: E402
from semantic_kernel.agents import ChatCompletionAgent  # noqa: E402
from semantic_kernel.connectors.ai.open_ai import OpenAIChatCompletion  # noqa: E402
from semantic_kernel.functions import kernel_function  # noqa: E402


class Weather:
    @kernel_function(name="get_weather", description="The weather in a city.")
    def get_weather(self, city: Annotated[str, "The city's name."]) -> str:
        return get_weather(city)


async def main() -> None:
    agent = ChatCompletionAgent(
        service=OpenAIChatCompletion(ai_model_id="gpt-4o-mini", async_client=AsyncOpenAI()),
        name="assistant",
        instructions="Be brief.",
        plugins=[Weather()],
    )
    await agent.get_response(messages=QUESTION)


asyncio.run(main())
tracer_provider.force_flush()
