"""AutoGen's core (0.4 and later): generative AI names for agents and tools, messaging names for
what its runtime passes around.
https://microsoft.github.io/autogen/stable/user-guide/core-user-guide/framework/telemetry.html
"""

from __future__ import annotations

from traces.semconv.convention import Convention

AUTOGEN = Convention(
    name="autogen",
    marks=(),
    span_names=("autogen ",),
    scopes=("autogen-core", "autogen SingleThreadedAgentRuntime", "autogen GrpcWorkerAgentRuntime"),
    fields={},
    own_fields={
        "agent_name": ("gen_ai.agent.name", "recipient_agent_type"),
        "agent_id": ("gen_ai.agent.id", "recipient_agent_id"),
    },
    span_kinds={"autogen": "span"},
)
