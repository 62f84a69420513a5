"""Which prompt a model call used: the same for the same prompt, whatever day it is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.traces.semconv.raw_spans import read
from traces.semconv import prompt_hash

SYSTEM = "You help Acme's customers. Today is Monday, 2 March 2026. Case {case}."
CASE = "0e8400e2-9b41-41d4-a716-44665544000{}"


def called(system: str = SYSTEM, tools: str = "[]", model: str = "gpt-4o", **more: Any) -> str:
    messages = [{"role": "system", "content": system}, {"role": "user", "content": "Hi"}]
    return read(
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": model,
            "gen_ai.input.messages": json.dumps(messages),
            "gen_ai.tool.definitions": tools,
            **more,
        }
    ).prompt_hash


def test_numbers_dates_and_ids_do_not_matter() -> None:
    one = SYSTEM.format(case=CASE.format(1))
    other = one.replace("Monday, 2 March", "Tuesday, 13 October").replace(
        CASE.format(1), "ffffffff-aaaa-4bbb-8ccc-dddddddddddd"
    )
    assert called(one) == called(other) != ""


@pytest.mark.parametrize(
    "changed",
    [{"system": "You help Globex."}, {"tools": '[{"name":"weather"}]'}, {"model": "gpt-4o-mini"}],
    ids=["prompt", "tools", "model"],
)
def test_prompt_tools_and_model_matter(changed: dict[str, str]) -> None:
    assert called() != called(**changed)


def test_what_the_user_says_does_not_matter() -> None:
    said = json.dumps(
        [{"role": "system", "content": SYSTEM}, {"role": "user", "content": 'Other {"role": "x"}'}]
    )
    assert called() == called(**{"gen_ai.input.messages": said})


@pytest.mark.parametrize(
    "attributes",
    [
        {"gen_ai.system_instructions": '[{"type":"text","content":"Be kind."}]'},
        {"gen_ai.prompt.0.role": "system", "gen_ai.prompt.0.content": "Be kind."},
        {
            "llm.input_messages.0.message.role": "system",
            "llm.input_messages.0.message.contents.0.message_content.text": "Be kind.",
        },
        {"input.value": '{"model":"m","messages":[{"content":"Be kind.","role":"system"}]}'},
        {"llm.tools.0.tool.json_schema": '{"name":"weather"}'},
    ],
)
def test_a_prompt_is_found_wherever_it_lies(attributes: dict[str, Any]) -> None:
    call = {"openinference.span.kind": "LLM", "llm.model_name": "m", **attributes}
    assert len(read(call).prompt_hash) == 16
    assert read({**call, "openinference.span.kind": "CHAIN"}).prompt_hash == ""


def test_a_call_without_a_prompt_of_its_own_has_none() -> None:
    said = '[{"role":"user","content":"my \\"role\\":\\"system\\""}]'
    assert called(tools="", **{"gen_ai.input.messages": said}) == ""
    assert read({"gen_ai.operation.name": "chat", "gen_ai.prompt": "Hi"}).prompt_hash == ""


@given(st.text())
def test_any_text_has_a_skeleton(text: str) -> None:
    assert prompt_hash.skeleton(text + "1") == prompt_hash.skeleton(text + "22")
