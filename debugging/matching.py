"""Which repository of a project a trace ran from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from uuid import UUID

from accounts.models import Project
from debugging.models import Repository


@dataclass(frozen=True, slots=True)
class Match:
    """The repository of a trace; `note` says how it was chosen, or why there is none."""

    repository: Repository | None
    note: str


def match(project: Project | UUID, git_repo: str | None) -> Match:
    """The repository that a trace names: by name, else by the name without host, case and .git,
    else the project's only one."""
    known = list(Repository.objects.for_project(project).by_name())
    if not known:
        which = f"Add the repository {git_repo}" if git_repo else "Add the agent's repository"
        return Match(None, f"This project has no repository. {which} in the settings.")
    for one in known:
        if git_repo and one.name == git_repo:
            return Match(one, "The trace names it.")
    for one in known:
        if git_repo and canonical(one.name) == canonical(git_repo):
            return Match(one, f"The trace calls it {git_repo}.")
    if len(known) == 1:
        said = f"The trace names {git_repo}" if git_repo else "The trace names no repository"
        return Match(known[0], f"{said}; {known[0].name} is the only one of this project.")
    if git_repo:
        return Match(
            None,
            f"The trace ran from {git_repo}, which is not among this project's repositories. "
            f"Add the repository {git_repo} in the settings.",
        )
    return Match(
        None,
        f"The trace does not name its repository (traceroot.git.repo), and this project has "
        f"{len(known)}. Let the agent report it, or keep only one.",
    )


def canonical(name: str) -> str:
    """`https://GitHub.com/Acme/agent.git` and `acme/agent` are the same repository."""
    text = re.sub(r"\A[a-z][a-z0-9+.-]*://", "", name.strip(), flags=re.IGNORECASE)
    text = re.sub(r"\A[^@/]+@", "", text)
    parts = [part for part in re.split(r"[/:]", text.casefold()) if part]
    if len(parts) > 2 and ("." in parts[0] or parts[0] == "localhost"):
        parts = parts[1:]
    return "/".join(parts).removesuffix(".git")
