"""A small agent with a history: its runs really fail, and their spans really lie in the store."""

from __future__ import annotations

import secrets
import time
from pathlib import Path

from accounts.models import Project
from tests.debugging.histories import History
from traces.spans import Span, SpanEvent
from traces.store import writer

REFUNDS = '''"""Refunds of bookings."""


def amount_of(booking):
    """What is paid back, in cents."""
    fare = booking["fare"]
    return fare - booking["fee"]


def issue_refund(booking):
    amount = amount_of(booking)
    return {"status": "accepted", "amount": amount}
'''
MAIN = """from agent.refunds import issue_refund

if __name__ == "__main__":
    print(issue_refund({"fare": 100, "fee": 20}))
"""
CULPRIT_SUBJECT = "Read the fare from the quote"


def refund_agent(directory: Path) -> tuple[History, str]:
    """Eight commits; Ben's, the sixth, makes the agent fail. Returns the history and his commit."""
    history = History(directory)
    history.commit("Start", {"README.md": "Agent\n", "agent/__init__.py": ""})
    history.commit("Issue refunds", {"agent/refunds.py": REFUNDS, "main.py": MAIN})
    for number in range(3):
        history.commit(f"Write note {number}", {f"notes/{number}.md": f"{number}\n"})
    culprit = history.replace(
        CULPRIT_SUBJECT, "agent/refunds.py", 'booking["fare"]', 'booking["quote"]', author="Ben"
    )
    for number in range(2):
        history.commit(f"Write remark {number}", {f"remarks/{number}.md": f"{number}\n"})
    return history, culprit


def store_failed_run(
    project: Project,
    traceback: str,
    *,
    git_repo: str = "acme/agent",
    git_ref: str = "",
    name: str = "refund-run",
) -> bytes:
    """An agent's root span and the tool below it, which raised; returns the trace's id."""
    trace_id, root_id, tool_id = (
        secrets.token_bytes(16),
        secrets.token_bytes(8),
        secrets.token_bytes(8),
    )
    now = time.time_ns()
    kind, _, message = traceback.strip().split("\n")[-1].partition(": ")
    raised = SpanEvent(
        now,
        "exception",
        {
            "exception.type": kind,
            "exception.message": message,
            "exception.stacktrace": traceback,
        },
    )
    root = Span(
        project.id,
        trace_id,
        root_id,
        b"",
        name,
        "agent",
        now - 9_000_000,
        now,
        "error",
        now,
        now,
        status_message=f"{kind}: {message}",
        is_local_root=True,
        git_repo=git_repo,
        git_ref=git_ref,
    )
    tool = Span(
        project.id,
        trace_id,
        tool_id,
        root_id,
        "issue_refund",
        "tool",
        now - 5_000_000,
        now,
        "error",
        now,
        now,
        status_message=f"{kind}: {message}",
        error_type=kind,
        error_message=message,
        tool_name="issue_refund",
        git_repo=git_repo,
        git_ref=git_ref,
        input='{"fare": 100, "fee": 20}',
        events=[raised],
    )
    writer.store([root, tool], [0, 0])
    return trace_id


def store_quiet_run(project: Project, path: str, line: int, git_ref: str) -> tuple[bytes, bytes]:
    """A tool span that reports no error but says where its code is; returns trace and span id."""
    trace_id, span_id, now = secrets.token_bytes(16), secrets.token_bytes(8), time.time_ns()
    span = Span(
        project.id,
        trace_id,
        span_id,
        b"",
        "issue_refund",
        "tool",
        now - 5_000_000,
        now,
        "ok",
        now,
        now,
        is_local_root=True,
        tool_name="issue_refund",
        output='{"status": "accepted"}',
        git_repo="acme/agent",
        git_ref=git_ref,
        git_source_file=path,
        git_source_line=line,
        git_source_function="issue_refund",
    )
    writer.store([span], [0])
    return trace_id, span_id
