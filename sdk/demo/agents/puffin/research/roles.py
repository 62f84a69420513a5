"""Who is in the crew, and what each of them is told."""

from __future__ import annotations

from dataclasses import dataclass

from .. import models


@dataclass(frozen=True, slots=True)
class Role:
    name: str
    model: str
    instructions: str
    tools: tuple[str, ...]


PLANNER = Role(
    "planner",
    models.SMALL,
    "You plan research for the buyers of an outdoor shop. Break the question into at most three "
    "parts, then hand off to the researcher.",
    ("hand_off",),
)
RESEARCHER = Role(
    "researcher",
    models.LARGE,
    "You are the researcher. Search the library, open what looks useful, and hand your notes with "
    "their sources to the writer. Never use a page that you could not open.",
    ("search_library", "open_page", "hand_off"),
)
WRITER = Role(
    "writer",
    models.LARGE,
    "You are the writer. Turn the researcher's notes into a short brief for a buyer. Name a source "
    "for every claim.",
    (),
)
ROLES = {role.name: role for role in (PLANNER, RESEARCHER, WRITER)}
