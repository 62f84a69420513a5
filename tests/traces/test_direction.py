"""Characters that turn the direction of text are marks on our pages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.utils.safestring import mark_safe

from traces.templatetags import direction

SCRIPT = Path(__file__).resolve().parents[2] / "static" / "js" / "direction.js"


def test_plain_text_is_escaped_and_isolated() -> None:
    assert direction.isolated("a <b> & שלום") == "<bdi>a &lt;b&gt; &amp; שלום</bdi>"
    assert direction.isolated(mark_safe("<i>ours</i>")) == "<bdi><i>ours</i></bdi>"
    assert direction.isolated(None) == direction.isolated("") == ""
    assert direction.isolated(7) == "<bdi>7</bdi>"


def test_an_override_is_a_mark_and_no_longer_there() -> None:
    shown = direction.isolated("invoice\u202egnp.exe")
    assert "\u202e" not in shown
    assert ">RLO</span>gnp.exe" in shown
    assert "U+202E right-to-left override" in shown
    assert direction.spelled("invoice\u202egnp.exe") == "invoice‹RLO›gnp.exe"


@pytest.mark.parametrize("control", list(direction.CONTROLS), ids=lambda c: f"U+{ord(c):04X}")
def test_no_control_is_left(control: str) -> None:
    for shown in (direction.isolated(f"a{control}b"), direction.spelled(f"a{control}b")):
        assert control not in shown
        assert direction.CONTROLS[control][0] in shown


def test_the_script_knows_the_same_controls() -> None:
    lines = re.findall(r'"\\u(\w{4})": \["(\w+)", "([^"]+)"\]', SCRIPT.read_text())
    found = {chr(int(code, 16)): (short, name) for code, short, name in lines}
    assert found == direction.CONTROLS
