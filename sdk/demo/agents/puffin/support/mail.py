"""Mail to customers, through an outbox that a relay empties."""

from __future__ import annotations

from typing import Any

from .tool import Tool, ToolError

SUSPENDED_DOMAINS = {"fjord.example": "550 5.1.1 mailbox unavailable"}
_outbox: list[tuple[str, str, str]] = []


def send(to: str, subject: str, body: str) -> dict[str, Any]:
    domain = to.rpartition("@")[2]
    if domain in SUSPENDED_DOMAINS:
        raise ToolError(f"{to} was not accepted: {SUSPENDED_DOMAINS[domain]}")
    _outbox.append((to, subject, body))
    return {"status": "queued", "to": to, "position": len(_outbox)}


SEND_EMAIL = Tool(
    "send_email",
    "Send a mail to a customer.",
    {"to": "The address.", "subject": "The subject.", "body": "The text."},
    send,
)
