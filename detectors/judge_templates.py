"""The judges that every project starts with: what they look for, in words."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class JudgeTemplate:
    slug: str
    name: str
    category: str
    severity: str
    looks_for: str


TOOL_AND_LOGIC_FAILURE = JudgeTemplate(
    slug="tool_and_logic_failure",
    name="Tool and logic failure",
    category="failure",
    severity="high",
    looks_for="""\
The agent failed at its task for a reason that lies in the run itself:
- a tool failed, returned an error or an unusable result, and the agent went on as if it had
  worked, or gave up although another way was open;
- the agent called a wrong tool, or a tool with wrong, invented or misread arguments;
- the agent misread a tool's result, contradicted it, or claimed that something was done which no
  result confirms;
- the agent broke a rule of its system prompt, left out a step that it or its user required, went
  in circles, or ended without an answer;
- reasoning or arithmetic that is wrong and changes the result.
Not a failure: a rightful refusal, a question back to the user, an error that was made good or
reported honestly, style.""",
)
TEMPLATES: tuple[JudgeTemplate, ...] = (TOOL_AND_LOGIC_FAILURE,)
BY_SLUG: dict[str, JudgeTemplate] = {template.slug: template for template in TEMPLATES}
