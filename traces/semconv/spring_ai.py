"""Spring AI's observations, from its documentation (nothing here was recorded from a running one).
https://docs.spring.io/spring-ai/reference/observability/index.html
"""

from __future__ import annotations

from traces.semconv.convention import Convention, LogTables
from traces.semconv.reads import Reads

SPRING_AI = Convention(
    name="spring_ai",
    marks=("spring.ai.",),
    kinds={
        "spring.ai.kind": {
            "chat_client": "chain",
            "advisor": "chain",
            "tool_call": "tool",
            "vector_store": "retriever",
        },
        "gen_ai.operation.name": {
            "framework": "chain",
            "embedding": "embedding",
            "image": "llm",
            "text_completion": "llm",
        },
    },
    fields={
        "input": (
            "spring.ai.tool.call.arguments",
            "db.vector.query.content",
            "spring.ai.chat.client.user.text",
        ),
        "output": (
            "spring.ai.tool.call.result",
            "db.vector.query.response.documents",
        ),
        "tool_name": ("spring.ai.tool.definition.name",),
        "session_id": ("spring.ai.chat.client.conversation.id",),
    },
    logs=LogTables(
        scopes=(
            "org.springframework.ai.chat.observation.ChatModelPromptContentObservationHandler",
            "org.springframework.ai.chat.observation.ChatModelCompletionObservationHandler",
            "org.springframework.ai.chat.client.observation.ChatClientPromptContentObservationHandler",
            "org.springframework.ai.chat.client.observation.ChatClientCompletionObservationHandler",
        ),
        bodies={
            "Chat Model Prompt Content:\n": "input",
            "Chat Model Completion:\n": "output",
            "Chat Client Prompt Content:\n": "input",
            "Chat Client Completion:\n": "output",
        },
    ),
    reads=Reads(
        fields={
            "system_instructions": ("spring.ai.chat.client.system.text",),
            "tool_arguments": ("spring.ai.tool.call.arguments",),
            "tool_result": ("spring.ai.tool.call.result",),
            "tool_definitions": ("spring.ai.tool.definition.schema",),
            "retrieval_contexts": ("db.vector.query.response.documents",),
        },
        params={
            "stream": ("spring.ai.chat.client.stream",),
            "top_k": ("db.vector.query.top_k",),
        },
    ),
)
