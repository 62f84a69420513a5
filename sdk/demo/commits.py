"""The made-up history of the demo agents' source, newest state in `agents/`.

Each commit says which files it adds and which texts it changes. The state before a commit follows
from the one after it, so the only full copy of the source is the one that runs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Author:
    name: str
    email: str


INES = Author("Inés Calder", "ines@puffinandpine.example")
TOMASZ = Author("Tomasz Brandt", "tomasz@puffinandpine.example")
NOOR = Author("Noor Haddad", "noor@puffinandpine.example")


@dataclass(frozen=True, slots=True)
class Edit:
    """In `path`, `before` became `after`, which occurs once in the file as the commit leaves it."""

    path: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Commit:
    """`age` is the time from the commit to the moment for which the history is built."""

    author: Author
    age: timedelta
    message: str
    adds: tuple[str, ...] = ()
    edits: tuple[Edit, ...] = field(default_factory=tuple)
    tag: str = ""


OLD_RELEASE = "v1.3.0"
NEW_RELEASE = "v1.4.0"
NEW_RELEASE_AGE = timedelta(hours=12)
REFUND_CULPRIT = "Keep one table of currency exponents"
PATCH_CULPRIT = "Show what surrounds a patched place"


def _release(version: str, previous: str, age: timedelta) -> Commit:
    edit = Edit("puffin/__init__.py", f'RELEASE = "{previous}"', f'RELEASE = "{version}"')
    return Commit(INES, age, f"Release {version}", edits=(edit,), tag=f"v{version}")


def _registered(module: str, constant: str, imports: tuple[str, str]) -> tuple[Edit, Edit]:
    """What it takes to give the support desk one more tool."""
    path = "puffin/support/tools.py"
    return (
        Edit(path, f"from . import {imports[0]}\n", f"from . import {imports[1]}\n"),
        Edit(path, "", f"        {module}.{constant},\n"),
    )


COMMITS = (
    Commit(
        INES,
        timedelta(days=37, hours=3),
        "Answer questions about orders",
        adds=(
            "README.md",
            "puffin/__init__.py",
            "puffin/__main__.py",
            "puffin/job.py",
            "puffin/models.py",
            "puffin/telemetry.py",
            "puffin/support/__init__.py",
            "puffin/support/desk.py",
            "puffin/support/orders.py",
            "puffin/support/spans.py",
            "puffin/support/tool.py",
            "puffin/support/tools.py",
        ),
    ),
    Commit(
        TOMASZ,
        timedelta(days=35, hours=6),
        "Search the policies before promising anything",
        adds=("puffin/support/policies.py",),
        edits=(
            *_registered("policies", "SEARCH_POLICY", ("orders", "orders, policies")),
            Edit(
                "puffin/support/desk.py",
                "",
                'Check the policy before you promise anything. "\n    "',
            ),
        ),
    ),
    Commit(
        NOOR,
        timedelta(days=32, hours=2),
        "Refund orders inside the return window",
        adds=("puffin/support/currencies.py", "puffin/support/refunds.py"),
        edits=_registered(
            "refunds", "ISSUE_REFUND", ("orders, policies", "orders, policies, refunds")
        ),
    ),
    Commit(
        INES,
        timedelta(days=30, hours=5),
        "Confirm by mail\n\nThe outbox is emptied by the relay every minute.",
        adds=("puffin/support/mail.py",),
        edits=_registered(
            "mail",
            "SEND_EMAIL",
            ("orders, policies, refunds", "mail, orders, policies, refunds"),
        ),
    ),
    _release("1.1.0", "1.0.0", timedelta(days=29, hours=4)),
    Commit(
        NOOR,
        timedelta(days=24, hours=7),
        "Add the research crew: planner, researcher, writer",
        adds=(
            "puffin/research/__init__.py",
            "puffin/research/crew.py",
            "puffin/research/library.py",
            "puffin/research/roles.py",
            "puffin/research/spans.py",
            "puffin/research/tools.py",
        ),
    ),
    _release("1.2.0", "1.1.0", timedelta(days=22, hours=3)),
    Commit(
        INES,
        timedelta(days=17, hours=1),
        "Add the coding agent with a scratch workspace",
        adds=(
            "puffin/coding/__init__.py",
            "puffin/coding/agent.py",
            "puffin/coding/observe.py",
            "puffin/coding/patching.py",
            "puffin/coding/tools.py",
            "puffin/coding/workspace.py",
        ),
    ),
    Commit(
        TOMASZ,
        timedelta(days=12, hours=6),
        "Stop the crew when a member runs in circles",
        edits=(
            Edit(
                "puffin/research/crew.py",
                'raise RuntimeError("too many turns")',
                'raise CrewStuck(f"The {role.name} used {MAX_TURNS} turns without a result.")',
            ),
            Edit(
                "puffin/research/crew.py",
                "",
                "class CrewStuck(Exception):\n"
                '    """A member of the crew used up its turns without an answer or a hand-off."""'
                "\n\n\n",
            ),
        ),
    ),
    _release("1.3.0", "1.2.0", timedelta(days=9, hours=2)),
    Commit(
        NOOR,
        timedelta(days=6, hours=5),
        "Count a title word twice in the library's search",
        edits=(
            Edit(
                "puffin/research/library.py",
                "        hits = len(wanted & set(_words(document.title)))\n",
                "        hits = 2 * len(wanted & set(_words(document.title)))\n",
            ),
            Edit(
                "puffin/research/library.py",
                "share most words with the query.",
                "share most words with the query; a title word counts twice.",
            ),
        ),
    ),
    Commit(
        TOMASZ,
        timedelta(days=4, hours=8),
        f"{REFUND_CULPRIT}\n\nThe yen had two digits by mistake. Both functions read one table.",
        edits=(
            Edit(
                "puffin/support/currencies.py",
                "",
                'EXPONENTS = {"EUR": 2, "USD": 2, "GBP": 2, "SEK": 2, "NOK": 2, "CHF": 2, "JPY": 0}'
                "\n\n\n",
            ),
            Edit(
                "puffin/support/currencies.py",
                "    exponent = 0 if currency in WITHOUT_CENTS else 2\n    return int(",
                "    exponent = EXPONENTS[currency]\n    return int(",
            ),
            Edit(
                "puffin/support/currencies.py",
                "    exponent = 0 if currency in WITHOUT_CENTS else 2\n    return f",
                "    exponent = EXPONENTS[currency]\n    return f",
            ),
            Edit(
                "puffin/support/currencies.py",
                'from decimal import ROUND_HALF_UP, Decimal\n\nWITHOUT_CENTS = {"ISK"}\n\n\n',
                "from decimal import ROUND_HALF_UP, Decimal\n\n",
            ),
        ),
    ),
    Commit(
        INES,
        timedelta(days=3, hours=4),
        f"{PATCH_CULPRIT}\n\nThe model asked to read the file again after every patch.",
        edits=(
            Edit(
                "puffin/coding/patching.py",
                "    first = max(0, start)\n    last = min(len(lines), end)\n"
                '    return "\\n".join(f"{n + 1}: {lines[n]}" for n in range(first, last))\n',
                "    first = max(0, start - CONTEXT_LINES)\n"
                '    return "\\n".join(f"{n + 1}: {lines[n]}" '
                "for n in range(first, end + CONTEXT_LINES))\n",
            ),
            Edit("puffin/coding/patching.py", "\nclass Pa", "CONTEXT_LINES = 1\n\n\nclass Pa"),
        ),
    ),
    Commit(
        NOOR,
        timedelta(days=1, hours=6),
        "Ask for a missing order number in one sentence",
        edits=(
            Edit(
                "puffin/support/desk.py",
                "",
                '    "If the order number is missing, ask for it in one sentence."\n',
            ),
        ),
    ),
    _release("1.4.0", "1.3.0", NEW_RELEASE_AGE),
)
