"""Strands Agents: generative AI names, messages as span events. https://strandsagents.com

Cached tokens are counted as the provider counts them (Bedrock: beside the input), which the total
shows.
"""

from __future__ import annotations

from traces.semconv.convention import Convention

STRANDS = Convention(
    name="strands",
    marks=("event_loop.cycle_id", "strands."),
    scopes=("strands.telemetry.tracer", "strands-agents"),
    span_kinds={
        "execute_event_loop_cycle": "chain",
        "Cycle": "chain",
        "memory.search": "retriever",
        "memory.add": "task",
        "memory.inject": "task",
        "memory.extract": "task",
        "invoke_graph": "chain",
        "invoke_swarm": "chain",
    },
    # Milliseconds, under a name that means seconds elsewhere.
    own_fields={"first_token_ms": ("gen_ai.server.time_to_first_token",)},
    fields={"cache_write_tokens": ("gen_ai.usage.cache_write_input_tokens",)},
)
