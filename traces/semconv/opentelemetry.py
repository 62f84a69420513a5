"""Plain OpenTelemetry: what HTTP, database and RPC libraries and the resource say of any span.
https://opentelemetry.io/docs/specs/semconv/
"""

from __future__ import annotations

from traces.semconv.convention import Convention
from traces.semconv.reads import Reads

OPENTELEMETRY = Convention(
    name="opentelemetry",
    marks=(),
    kinds={
        "type": {
            "llm": "llm",
            "agent": "agent",
            "tool": "tool",
            "chain": "chain",
            "retriever": "retriever",
            "embedding": "embedding",
            "guardrail": "guardrail",
            "evaluation": "evaluator",
        }
    },
    fields={
        "session_id": ("session.id",),
        "user_id": ("user.id", "enduser.id"),
        "environment": ("deployment.environment.name", "deployment.environment"),
        "release": ("service.version",),
        "error_type": ("error.type", "exception.type"),
        "error_message": ("error.message", "exception.message"),
        "metadata": ("metadata",),
        "git_repo": ("vcs.repository.url.full", "vcs.repository.name"),
        "git_ref": ("vcs.ref.head.revision", "vcs.repository.ref.revision", "vcs.ref.head.name"),
        "git_source_file": ("code.file.path", "code.filepath"),
        "git_source_line": ("code.line.number", "code.lineno"),
        "git_source_function": ("code.function.name", "code.function"),
    },
    # Whoever writes them there means them, where nothing says it better.
    json_fields={
        "metadata": (
            ("user_id", ("user_id",)),
            ("user_id", ("userId",)),
            ("session_id", ("session_id",)),
            ("session_id", ("sessionId",)),
            ("session_id", ("thread_id",)),
            ("session_id", ("conversation_id",)),
        )
    },
    resource_fields={
        "service_name": ("service.name",),
        "release": ("service.version",),
        "environment": ("deployment.environment.name", "deployment.environment"),
        "git_repo": ("traceroot.git.repo", "vcs.repository.url.full", "vcs.repository.name"),
        "git_ref": (
            "traceroot.git.ref",
            "vcs.ref.head.revision",
            "vcs.repository.ref.revision",
            "vcs.ref.head.name",
        ),
        "session_id": ("session.id",),
        "user_id": ("user.id", "enduser.id"),
    },
    reads=Reads(
        fields={
            "user_email": ("user.email", "enduser.email"),
            "customer_id": ("customer.id", "customer_id"),
        }
    ),
)
