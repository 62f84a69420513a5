"""The coding agent's tools over a workspace."""

from __future__ import annotations

from typing import Any

from opentelemetry import trace
from opentelemetry.trace import Status, StatusCode

from . import patching
from .observe import observe
from .workspace import Workspace

_DESCRIPTIONS: dict[str, tuple[str, dict[str, str]]] = {
    "read_file": ("Read a file of the project.", {"name": "Its name."}),
    "apply_patch": (
        "Replace lines of a file.",
        {"name": "The file.", "before": "The lines to replace.", "after": "The new lines."},
    ),
    "run_tests": ("Run the tests.", {"pattern": "Only tests whose name has this; may be empty."}),
}
SCHEMAS: list[dict[str, Any]] = [
    {
        "type": "function",
        "function": {
            "name": name,
            "description": description,
            "parameters": {
                "type": "object",
                "properties": {
                    key: {"type": "string", "description": text} for key, text in fields.items()
                },
                "required": list(fields),
            },
        },
    }
    for name, (description, fields) in _DESCRIPTIONS.items()
]


class Toolbox:
    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace

    def __str__(self) -> str:
        return ", ".join(sorted(_DESCRIPTIONS))

    def run(self, name: str, arguments: dict[str, str]) -> str:
        if name == "read_file":
            return read_file(self, **arguments)
        if name == "apply_patch":
            return apply_patch(self, **arguments)
        return run_tests(self, **arguments)


@observe("tool")
def read_file(toolbox: Toolbox, name: str) -> str:
    try:
        return toolbox.workspace.path(name).read_text()
    except FileNotFoundError as error:
        return _failed(error)


@observe("tool")
def apply_patch(toolbox: Toolbox, name: str, before: str, after: str) -> str:
    hunk = patching.Hunk(tuple(before.split("\n")), tuple(after.split("\n")))
    try:
        path = toolbox.workspace.path(name)
        text, excerpt = patching.apply(path.read_text(), hunk)
    except (FileNotFoundError, patching.PatchRefused) as error:
        return _failed(error)
    path.write_text(text)
    return f"Patched {name}:\n{excerpt}"


@observe("tool")
def run_tests(toolbox: Toolbox, pattern: str = "") -> str:
    passed, output = toolbox.workspace.run_tests(pattern)
    return f"{'All tests pass.' if passed else 'Tests fail.'}\n{output[-1500:]}"


def _failed(error: Exception) -> str:
    trace.get_current_span().set_status(Status(StatusCode.ERROR, str(error)))
    return f"Error: {error}"
