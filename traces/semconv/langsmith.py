"""LangSmith's SDK in OpenTelemetry mode: `langsmith.*` beside generative AI names.
https://docs.langchain.com/langsmith/trace-with-opentelemetry

Its own kind is the true one: it calls a retriever's operation "embeddings", a prompt's "chat". Its
"session name" is the tracing project; conversations are threads, which are metadata. Details of
token counts are Python's text of a dictionary.
"""

from __future__ import annotations

from traces.semconv.convention import Convention
from traces.semconv.reads import Reads

_METADATA = "langsmith.metadata."

LANGSMITH = Convention(
    name="langsmith",
    marks=("langsmith.",),
    scopes=("langsmith",),
    kinds={
        "langsmith.span.kind": {
            "llm": "llm",
            "chain": "chain",
            "tool": "tool",
            "retriever": "retriever",
            "embedding": "embedding",
            "prompt": "chain",
            "parser": "chain",
        }
    },
    fields={
        "session_id": (
            f"{_METADATA}session_id",
            f"{_METADATA}thread_id",
            f"{_METADATA}conversation_id",
            "langsmith.trace.session_id",
        ),
        "user_id": (f"{_METADATA}user_id",),
        "environment": (f"{_METADATA}environment",),
        "release": (f"{_METADATA}revision_id",),
        "prompt_name": (f"{_METADATA}lc_hub_repo",),
        "prompt_version": (f"{_METADATA}lc_hub_commit_hash",),
        "provider": (f"{_METADATA}ls_provider",),
        "comma_tags": ("langsmith.span.tags",),
        "metadata": ("langsmith.metadata",),
    },
    json_fields={
        "gen_ai.usage.input_token_details": (
            ("cache_read_tokens", ("cache_read",)),
            ("cache_write_tokens", ("cache_creation",)),
            ("cache_write_1h_tokens", ("ephemeral_1h_input_tokens",)),
            ("cache_write_5m_tokens", ("ephemeral_5m_input_tokens",)),
            ("input_audio_tokens", ("audio",)),
        ),
        "gen_ai.usage.output_token_details": (
            ("reasoning_tokens", ("reasoning",)),
            ("output_audio_tokens", ("audio",)),
        ),
    },
    metadata_prefixes=(_METADATA,),
    reads=Reads(
        fields={
            "input_messages": ("gen_ai.prompt",),
            "output_messages": ("gen_ai.completion",),
            "tool_arguments": ("gen_ai.prompt",),
            "tool_result": ("gen_ai.completion#output", "gen_ai.completion"),
            "tool_definitions": ("gen_ai.tool.definitions", "gen_ai.prompt#tools"),
            "retrieval_contexts": ("gen_ai.completion#output", "gen_ai.completion#documents"),
        },
        params={
            "temperature": (f"{_METADATA}ls_temperature",),
            "max_tokens": (f"{_METADATA}ls_max_tokens",),
            "stop_sequences": (f"{_METADATA}ls_stop",),
            "stream": ("langsmith.request.streaming",),
        },
    ),
)
