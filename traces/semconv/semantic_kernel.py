"""Semantic Kernel (Python, .NET): generative AI names; older versions write messages as events or
logs. https://learn.microsoft.com/semantic-kernel/concepts/enterprise-readiness/observability/
"""

from __future__ import annotations

from traces.semconv.convention import Convention

SEMANTIC_KERNEL = Convention(
    name="semantic_kernel",
    marks=("sk.",),
    scopes=(
        "Microsoft.SemanticKernel",
        "Microsoft.SemanticKernel.Diagnostics",
        "semantic_kernel.functions.kernel_function",
        "semantic_kernel.functions.kernel_function_from_prompt",
        "semantic_kernel.utils.telemetry.model_diagnostics.decorators",
        "semantic_kernel.utils.telemetry.model_diagnostics.function_tracer",
        "semantic_kernel.utils.telemetry.agent_diagnostics.decorators",
        "semantic_kernel.connectors.ai.chat_completion_client_base",
    ),
    kinds={
        "gen_ai.operation.name": {
            "chat.completions": "llm",
            "chat.streaming_completions": "llm",
            "text.completions": "llm",
            "text.streaming_completions": "llm",
            "text_completions": "llm",
        }
    },
    fields={},
    span_kinds={"AutoFunctionInvocationLoop": "chain"},
)
