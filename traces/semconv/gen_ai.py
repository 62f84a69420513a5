"""OpenTelemetry's generative AI conventions, with the older names that emitters still write.
https://opentelemetry.io/docs/specs/semconv/gen-ai/

The input count includes cached tokens, the output count reasoning.
"""

from __future__ import annotations

from traces.semconv.convention import Convention, LogTables
from traces.semconv.reads import Reads

GEN_AI = Convention(
    name="gen_ai",
    marks=("gen_ai.",),
    kinds={
        "gen_ai.operation.name": {
            "chat": "llm",
            "text_completion": "llm",
            "completion": "llm",
            "generate_content": "llm",
            "responses": "llm",
            "embeddings": "embedding",
            "embedding": "embedding",
            "rerank": "reranker",
            "retrieval": "retriever",
            "retrieve": "retriever",
            "search_memory": "retriever",
            "vector_db_retrieve": "retriever",
            "llm_request": "llm",
            "image_generation": "llm",
            "audio_transcription": "llm",
            "text_to_speech": "llm",
            "execute_tool": "tool",
            "invoke_agent": "agent",
            "create_agent": "agent",
            "invoke_workflow": "chain",
            "execute_task": "task",
            "evaluate": "evaluator",
        },
        "gen_ai.span.kind": {
            "llm": "llm",
            "embedding": "embedding",
            "retriever": "retriever",
            "reranker": "reranker",
            "tool": "tool",
            "agent": "agent",
            "chain": "chain",
            "workflow": "chain",
            "entry": "chain",
            "step": "chain",
            "task": "task",
            "guardrail": "guardrail",
            "evaluator": "evaluator",
        },
    },
    fields={
        # Bare `input` and `output` stand first: who writes them beside the messages means the whole
        # payload; the messages are read from their own attributes all the same.
        "input": (
            "input",
            "gen_ai.input.messages",
            "gen_ai.tool.call.arguments",
            "tool_arguments",
            "gen_ai.prompt",
            "gen_ai.retrieval.query.text",
        ),
        "output": (
            "output",
            "gen_ai.output.messages",
            "gen_ai.tool.call.result",
            "tool_response",
            "gen_ai.completion",
            "gen_ai.retrieval.documents",
        ),
        "operation": ("gen_ai.operation.name",),
        "agent_name": ("gen_ai.agent.name",),
        "agent_id": ("gen_ai.agent.id",),
        "tool_name": ("gen_ai.tool.name",),
        "tool_call_id": ("gen_ai.tool.call.id",),
        "provider": ("gen_ai.provider.name", "gen_ai.system"),
        "model": ("gen_ai.response.model", "gen_ai.request.model"),
        "request_model": ("gen_ai.request.model",),
        "response_model": ("gen_ai.response.model",),
        "response_id": ("gen_ai.response.id",),
        "finish_reasons": ("gen_ai.response.finish_reasons", "gen_ai.response.finish_reason"),
        "session_id": ("gen_ai.conversation.id", "gen_ai.session.id", "gen_ai.thread.id"),
        "user_id": ("gen_ai.user.id", "gen_ai.request.user", "gen_ai.openai.request.user"),
        "prompt_name": ("gen_ai.prompt.name",),
        "prompt_version": ("gen_ai.prompt.version",),
        "first_token_seconds": (
            "gen_ai.response.time_to_first_chunk",
            "gen_ai.server.time_to_first_token",
        ),
        "input_tokens": ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"),
        "output_tokens": ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"),
        "cache_read_tokens": (
            "gen_ai.usage.cache_read.input_tokens",
            "gen_ai.usage.cache_read_input_tokens",
            "gen_ai.usage.input_cached_tokens",
            "gen_ai.usage.details.cache_read_tokens",
            "gen_ai.usage.cache_read_tokens",
            "gen_ai.usage.details.cache_read_input_tokens",
            "gen_ai.usage.cached_input_tokens",
        ),
        "cache_write_tokens": (
            "gen_ai.usage.cache_creation.input_tokens",
            "gen_ai.usage.cache_creation_input_tokens",
            "gen_ai.usage.details.cache_write_tokens",
            "gen_ai.usage.details.cache_creation_input_tokens",
        ),
        "cache_write_5m_tokens": (
            "gen_ai.usage.cache_creation.ephemeral_5m_input_tokens",
            "gen_ai.usage.cache_creation_ephemeral_5m_input_tokens",
        ),
        "cache_write_1h_tokens": (
            "gen_ai.usage.cache_creation.ephemeral_1h_input_tokens",
            "gen_ai.usage.cache_creation_ephemeral_1h_input_tokens",
        ),
        "reasoning_tokens": (
            "gen_ai.usage.reasoning.output_tokens",
            "gen_ai.usage.reasoning_tokens",
            "gen_ai.usage.output_details.reasoning_tokens",
            "gen_ai.usage.details.reasoning_tokens",
        ),
        "total_tokens": ("gen_ai.usage.total_tokens",),
        "reported_cost_usd": ("gen_ai.usage.cost", "gen_ai.usage.total_cost", "operation.cost"),
    },
    implies={
        "gen_ai.request.model": "llm",
        "gen_ai.system": "llm",
        "gen_ai.provider.name": "llm",
        "gen_ai.tool.name": "tool",
        "gen_ai.tool.call.arguments": "tool",
        "gen_ai.tool.call.result": "tool",
    },
    # Bare names that several agents write on their log records; read there only.
    logs=LogTables(
        fields={
            "input_tokens": ("input_token_count",),
            "output_tokens": ("output_token_count",),
            "cache_read_tokens": ("cached_content_token_count",),
            "reasoning_tokens": ("thoughts_token_count",),
            "total_tokens": ("total_token_count",),
        },
    ),
    reads=Reads(
        fields={
            "input_messages": ("gen_ai.input.messages", "gen_ai.prompt"),
            "output_messages": ("gen_ai.output.messages", "gen_ai.completion"),
            "system_instructions": ("gen_ai.system_instructions", "gen_ai.system.instructions"),
            "tool_definitions": ("gen_ai.tool.definitions", "gen_ai.request.tools"),
            "tool_arguments": (
                "gen_ai.tool.call.arguments",
                "gen_ai.tool.arguments",
                "gen_ai.tool.input",
            ),
            "tool_result": (
                "gen_ai.tool.call.result",
                "gen_ai.tool.result",
                "gen_ai.tool.output",
            ),
            "retrieval_contexts": ("gen_ai.retrieval.documents",),
        },
        param_prefixes=("gen_ai.request.", "gen_ai.openai.request."),
        usage_prefixes=("gen_ai.usage.details.", "gen_ai.usage.experimental."),
    ),
)
