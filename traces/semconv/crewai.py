"""CrewAI's own tracing (since 1.15): `crewai.*` beside generative AI names.

Older versions sent only anonymous counts to their maker; instrumentations speak OpenInference or
OpenLLMetry for them. https://docs.crewai.com/en/observability/overview
"""

from __future__ import annotations

from traces.semconv.convention import Convention
from traces.semconv.reads import Reads

CREWAI = Convention(
    name="crewai",
    marks=("crewai.",),
    scopes=("crewai", "crewai.telemetry"),
    kinds={
        "gen_ai.operation.name": {
            "execute_task": "task",
            "execute_method": "task",
        }
    },
    fields={"tool_name": ("crewai.mcp.tool_name",)},
    # Before the general names, which say less on its spans.
    own_fields={
        "input": (
            "gen_ai.tool.call.arguments",
            "gen_ai.input.messages",
            "crewai.mcp.tool_args",
            "crewai.knowledge.query",
            "crewai.memory.query",
            "crewai.memory.value",
            "crewai.conversation.user_message",
            "crewai.method.params",
            "crewai.task.description",
            "crewai.crew.inputs",
            "crewai.flow.inputs",
            "crewai.a2a.task_description",
            "crewai.human_feedback.message",
        ),
        "output": (
            "gen_ai.tool.call.result",
            "gen_ai.output.messages",
            "crewai.mcp.tool_result",
            "crewai.knowledge.retrieved_knowledge",
            "crewai.memory.results",
            "crewai.memory.content",
            "crewai.guardrail.result",
            "crewai.method.result",
            "crewai.task.output",
            "crewai.crew.output",
            "crewai.flow.result",
            "crewai.reasoning.plan",
            "crewai.a2a.final_result",
            "crewai.a2a.result",
            "crewai.human_feedback.feedback",
        ),
        "agent_name": ("crewai.agent.role", "gen_ai.agent.name"),
        "tool_name": ("gen_ai.tool.name", "crewai.mcp.tool_name"),
        "error_message": ("crewai.guardrail.error",),
    },
    implies={
        "crewai.guardrail.type": "guardrail",
        "crewai.knowledge.query": "retriever",
        "crewai.memory.query": "retriever",
        "crewai.mcp.tool_name": "tool",
    },
    reads=Reads(
        fields={
            "tool_arguments": ("crewai.mcp.tool_args",),
            "tool_result": ("crewai.mcp.tool_result",),
            "retrieval_contexts": ("crewai.knowledge.retrieved_knowledge", "crewai.memory.results"),
        },
    ),
)
