"""Langfuse's decorator, its OpenAI wrapper, a prompt, a session."""

from __future__ import annotations

import langfuse as sdk
from exporting import OTHER_QUESTION, QUESTION, TOOL, get_weather, provider
from langfuse import Langfuse, observe, propagate_attributes
from langfuse.openai import OpenAI

tracer_provider = provider(install=False)
client = Langfuse(
    public_key="pk-lf-recorded",
    secret_key="sk-lf-recorded",
    base_url="http://127.0.0.1:1",
    tracer_provider=tracer_provider,
    environment="staging",
    release="1.2.3",
)
model = OpenAI()


@observe(as_type="tool", name="get_weather")
def weather(city: str) -> str:
    return get_weather(city)


@observe(as_type="agent", name="assistant")
def answer(question: str) -> str:
    messages = [{"role": "user", "content": question}]
    first = model.chat.completions.create(
        model="gpt-4o-mini", messages=messages, tools=[TOOL], temperature=0.2
    )
    call = first.choices[0].message.tool_calls[0]
    messages += [
        {
            "role": "assistant",
            "tool_calls": [
                {
                    "id": call.id,
                    "type": "function",
                    "function": {
                        "name": call.function.name,
                        "arguments": call.function.arguments,
                    },
                }
            ],
        },
        {"role": "tool", "tool_call_id": call.id, "content": weather("Paris")},
    ]
    last = model.chat.completions.create(model="gpt-4o-mini", messages=messages, tools=[TOOL])
    return last.choices[0].message.content


with propagate_attributes(
    session_id="session-1", user_id="ada", tags=["weather"], metadata={"tier": "gold"}
):
    answer(QUESTION)
    with client.start_as_current_observation(
        as_type="generation",
        name="by hand",
        model="gpt-4o-mini",
        input=[{"role": "user", "content": OTHER_QUESTION}],
        model_parameters={"temperature": 0.5},
        metadata={"attempt": 1},
    ) as generation:
        generation.update(
            output="Paris is the capital of France.",
            usage_details={"input": 16, "output": 8, "input_cached_tokens": 48, "total": 72},
            cost_details={"input": 0.001, "output": 0.002},
        )
client.flush()
tracer_provider.force_flush()
print(sdk.__name__)
