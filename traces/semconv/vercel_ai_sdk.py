"""Vercel AI SDK, `ai.*`, versions 3 to 6, and its telemetry package's legacy mode in 7 (whose new
mode writes the generative AI conventions). https://ai-sdk.dev/docs/ai-sdk-core/telemetry

A call is two spans: the function's (`ai.generateText`), which restates the usage of its steps, and
one `….doGenerate` or `….doStream` for each request to the model. Coding agents built on the SDK
(opencode) write the same under their own scopes.

Input counts are the provider's: with cached tokens inside, but for Anthropic's models before
version 6, which says so by its `inputTokenDetails`. (Up to version 5, `generateText` gives cached
tokens in the provider's note only, or not at all.) Names under `stream.` are of a proxy's.
"""

from __future__ import annotations

from traces.semconv.convention import Convention
from traces.semconv.reads import Reads

_METADATA = "ai.telemetry.metadata."

VERCEL_AI_SDK = Convention(
    name="vercel_ai_sdk",
    marks=(
        "ai.operationId",
        "ai.telemetry.",
        "ai.model.",
        "ai.prompt",
        "ai.response.",
        "ai.usage.",
        "ai.settings.",
        "ai.toolCall.",
        "aisdk.",
    ),
    scopes=("ai",),
    kinds={
        "ai.operationId": {
            "ai.generatetext": "chain",
            "ai.streamtext": "chain",
            "ai.generateobject": "chain",
            "ai.streamobject": "chain",
            "ai.generatetext.dogenerate": "llm",
            "ai.streamtext.dostream": "llm",
            "ai.generateobject.dogenerate": "llm",
            "ai.streamobject.dostream": "llm",
            "ai.toolcall": "tool",
            "ai.embed": "embedding",
            "ai.embed.doembed": "embedding",
            "ai.embedmany": "embedding",
            "ai.embedmany.doembed": "embedding",
            "ai.rerank": "reranker",
            "ai.rerank.dorerank": "reranker",
            "ai.generatespeech": "llm",
            "ai.transcribe": "llm",
            "ai.streamtranscribe": "llm",
            "ai.workflowagent.stream": "agent",
        },
        "gen_ai.operation.name": {
            "ai.generatespeech": "llm",
            "ai.transcribe": "llm",
            "ai.streamtranscribe": "llm",
            "agent_step": "chain",
            "decide": "llm",
        },
    },
    fields={
        "input": (
            "ai.toolCall.args",
            "ai.prompt.messages",
            "ai.prompt",
            "ai.value",
            "ai.values",
            "ai.documents",
            "ai.request.text",
            "ai.decision.questions",
        ),
        "output": (
            "ai.toolCall.result",
            "ai.response.text",
            "ai.response.object",
            "ai.response.toolCalls",
            "ai.result.text",
            "ai.result.object",
            "ai.result.toolCalls",
            "ai.ranking",
            "ai.decision.answers",
        ),
        "operation": ("ai.operationId",),
        "agent_name": ("ai.telemetry.functionId",),
        "tool_name": ("ai.toolCall.name",),
        "tool_call_id": ("ai.toolCall.id",),
        "provider": ("ai.model.provider", "aisdk.model.provider"),
        "model": ("ai.response.model", "ai.model.id", "aisdk.model.id"),
        "request_model": ("ai.model.id", "aisdk.model.id"),
        "response_model": ("ai.response.model",),
        "response_id": ("ai.response.id",),
        "finish_reasons": ("ai.response.finishReason", "ai.finishReason"),
        "session_id": (
            f"{_METADATA}sessionId",
            f"{_METADATA}session_id",
            f"{_METADATA}threadId",
            f"{_METADATA}thread_id",
            f"{_METADATA}conversationId",
            f"{_METADATA}conversation_id",
            f"{_METADATA}chatId",
        ),
        "user_id": (f"{_METADATA}userId", f"{_METADATA}user_id"),
        "tags": (f"{_METADATA}tags",),
        "environment": (f"{_METADATA}environment",),
        "first_token_ms": ("ai.response.msToFirstChunk", "ai.stream.msToFirstChunk"),
        "input_tokens": (
            "ai.usage.inputTokens",
            "ai.usage.promptTokens",
            "ai.usage.tokens",
            "stream.usage.inputTokens",
        ),
        "output_tokens": (
            "ai.usage.outputTokens",
            "ai.usage.completionTokens",
            "stream.usage.outputTokens",
        ),
        "cache_read_tokens": (
            "ai.usage.inputTokenDetails.cacheReadTokens",
            "ai.usage.cachedInputTokens",
            "stream.usage.inputTokenDetails.cacheReadTokens",
            "stream.usage.cachedInputTokens",
        ),
        "cache_write_tokens": (
            "ai.usage.inputTokenDetails.cacheWriteTokens",
            "stream.usage.inputTokenDetails.cacheWriteTokens",
        ),
        "reasoning_tokens": (
            "ai.usage.outputTokenDetails.reasoningTokens",
            "ai.usage.reasoningTokens",
            "stream.usage.outputTokenDetails.reasoningTokens",
            "stream.usage.reasoningTokens",
        ),
        "total_tokens": ("ai.usage.totalTokens", "stream.usage.totalTokens"),
    },
    json_fields={
        "ai.response.providerMetadata": (
            ("cache_read_tokens", ("anthropic", "cacheReadInputTokens")),
            ("cache_read_tokens", ("anthropic", "usage", "cache_read_input_tokens")),
            ("cache_read_tokens", ("bedrock", "usage", "cacheReadInputTokens")),
            ("cache_read_tokens", ("openai", "cachedPromptTokens")),
            ("cache_read_tokens", ("deepseek", "promptCacheHitTokens")),
            ("cache_read_tokens", ("google", "usageMetadata", "cachedContentTokenCount")),
            ("cache_write_tokens", ("anthropic", "cacheCreationInputTokens")),
            ("cache_write_tokens", ("bedrock", "usage", "cacheWriteInputTokens")),
            (
                "cache_write_1h_tokens",
                ("anthropic", "usage", "cache_creation", "ephemeral_1h_input_tokens"),
            ),
            ("reasoning_tokens", ("openai", "reasoningTokens")),
            ("reasoning_tokens", ("google", "usageMetadata", "thoughtsTokenCount")),
            ("reported_cost_usd", ("openrouter", "usage", "cost")),
            ("reported_cost_usd", ("gateway", "cost")),
        ),
        "ai.model": (
            ("model", ("id",)),
            ("request_model", ("id",)),
            ("provider", ("provider",)),
        ),
        "ai.response": (
            ("output", ("text",)),
            ("output", ("object",)),
            ("output", ("toolCalls",)),
        ),
    },
    implies={
        "ai.toolCall.name": "tool",
        "ai.toolCall.args": "tool",
        "ai.prompt": "llm",
        "ai.prompt.messages": "llm",
        "ai.response.text": "llm",
        "ai.response.object": "llm",
        "ai.response.toolCalls": "llm",
        "aisdk.model.id": "llm",
        "ai.embedding": "embedding",
        "ai.embeddings": "embedding",
        "ai.ranking": "reranker",
    },
    metadata_prefixes=(_METADATA, "ai.settings.context."),
    cache_beside_providers=(
        "anthropic",
        "amazon-bedrock",
        "bedrock",
        "vertex.anthropic",
        "google.vertex.anthropic",
    ),
    cache_inside_marks=(
        "ai.usage.inputTokenDetails.noCacheTokens",
        "ai.usage.inputTokenDetails.cacheReadTokens",
        "ai.usage.inputTokenDetails.cacheWriteTokens",
    ),
    reads=Reads(
        fields={
            "input_messages": ("ai.prompt.messages", "ai.prompt", "ai.prompt#messages"),
            "output_messages": ("ai.response", "ai.response.object"),
            "output_text": ("ai.response.text", "ai.result.text"),
            "output_tool_calls": ("ai.response.toolCalls", "ai.result.toolCalls"),
            "output_reasoning": ("ai.response.reasoning",),
            "system_instructions": ("ai.prompt#system", "ai.prompt#instructions"),
            "tool_definitions": ("ai.prompt.tools",),
            "tool_arguments": ("ai.toolCall.args",),
            "tool_result": ("ai.toolCall.result",),
            "retrieval_contexts": ("ai.documents",),
        },
        params={
            "temperature": ("ai.settings.temperature",),
            "top_p": ("ai.settings.topP",),
            "top_k": ("ai.settings.topK",),
            "max_tokens": ("ai.settings.maxOutputTokens", "ai.settings.maxTokens"),
            "frequency_penalty": ("ai.settings.frequencyPenalty",),
            "presence_penalty": ("ai.settings.presencePenalty",),
            "stop_sequences": ("ai.settings.stopSequences",),
            "seed": ("ai.settings.seed",),
            "max_retries": ("ai.settings.maxRetries",),
            "max_steps": ("ai.settings.maxSteps",),
            "timeout": ("ai.settings.timeout",),
            "mode": ("ai.settings.mode",),
            "output": ("ai.settings.output",),
            "tool_choice": ("ai.prompt.toolChoice",),
            "reasoning_effort": ("ai.settings.reasoningEffort", "ai.settings.reasoning"),
        },
    ),
)
