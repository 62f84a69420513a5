"""CrewAI's own tracing: a crew of one agent with one tool."""

from __future__ import annotations

import os

os.environ["CREWAI_DISABLE_TELEMETRY"] = "true"
from crewai import LLM, Agent, Crew, Task
from crewai.telemetry.tracing.session import otlp_exporter, telemetry_session
from crewai.tools import tool
from exporting import QUESTION, get_weather, url


@tool("get_weather")
def weather(city: str) -> str:
    """The weather in a city."""
    return get_weather(city)


agent = Agent(
    role="assistant",
    goal="Answer questions.",
    backstory="You are brief.",
    tools=[weather],
    llm=LLM(model="openai/gpt-4o-mini"),
)
task = Task(description=QUESTION, expected_output="One sentence.", agent=agent)
crew = Crew(agents=[agent], tasks=[task])
with telemetry_session("00000000-0000-0000-0000-000000000001", "weather", [otlp_exporter(url())]):
    crew.kickoff()
