"""GitHub Copilot, in VS Code and as a command line: generative AI names, `github.copilot.*` and the
older `copilot_chat.*`. https://code.visualstudio.com/docs/agents/guides/monitoring-agents

Its "cost" counts premium requests and its "nano AIU" billing units: neither is money, so both are
metadata. A sub-agent is an agent span under the tool that started it.
"""

from __future__ import annotations

from traces.semconv.convention import Convention
from traces.semconv.reads import Reads

COPILOT = Convention(
    name="github_copilot",
    marks=("github.copilot.", "copilot_chat."),
    scopes=("github.copilot", "@github/copilot", "copilot-chat"),
    kinds={
        "gen_ai.operation.name": {
            "execute_hook": "task",
            "content_event": "span",
        }
    },
    fields={
        "user_id": ("enduser.pseudo.id",),
        "first_token_ms": ("copilot_chat.time_to_first_token",),
        "git_repo": ("github.copilot.git.repository", "copilot_chat.repo.remote_url"),
        "git_ref": (
            "github.copilot.git.commit_sha",
            "copilot_chat.repo.head_commit_hash",
            "github.copilot.git.branch",
            "copilot_chat.repo.head_branch_name",
        ),
        "reasoning_tokens": ("gen_ai.usage.reasoning_output_tokens",),
    },
    own_fields={
        "session_id": (
            "gen_ai.conversation.id",
            "copilot_chat.chat_session_id",
            "copilot_chat.session_id",
        ),
        "agent_name": ("gen_ai.agent.name", "copilot_chat.agent_name"),
    },
    metadata_names={
        "github.copilot.nano_aiu": "copilot_nano_aiu",
        "github.copilot.aiu": "copilot_aiu",
        "github.copilot.cost": "copilot_cost",
        "github.copilot.agent.type": "copilot_agent_type",
        "github.copilot.turn_count": "copilot_turn_count",
        "github.copilot.service_request_id": "copilot_service_request_id",
        "github.copilot.interaction_id": "copilot_interaction_id",
        "copilot_chat.turn_count": "copilot_turn_count",
        "copilot_chat.debug_name": "copilot_debug_name",
    },
    reads=Reads(params={"max_prompt_tokens": ("copilot_chat.request.max_prompt_tokens",)}),
)
