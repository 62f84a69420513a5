"""Templates and styles keep to the design system: nothing inline, icons that exist, tokens only."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted(
    path
    for path in (ROOT / "templates").rglob("*.html")
    if "mail" not in path.parts  # mail has no sheets
)
SCRIPTS = sorted((ROOT / "static" / "js").rglob("*.js"))
STYLES = sorted((ROOT / "static" / "css").rglob("*.css"))
TAG = re.compile(r"{%.*?%}")  # parameters of an include are not attributes
ICONS = set(re.findall(r'<symbol id="([\w-]+)"', (ROOT / "static" / "icons.svg").read_text()))


def found(pattern: str, files: list[Path]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in files
        for match in re.finditer(pattern, TAG.sub("", path.read_text(encoding="utf-8")))
    ]


def test_no_template_has_inline_style_script_or_handler() -> None:
    inline = r"""<style\b|\sstyle\s*=|\son\w+\s*=\s*["']|\shx-on|javascript:|hx-vals=.js:"""
    assert found(inline, TEMPLATES) == []
    assert found(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)[^>]*>", TEMPLATES) == []


def test_nothing_is_loaded_from_another_origin() -> None:
    assert (
        found(r"""(?:src|href)=["'](?:https?:)?//[^"']+\.(?:js|css|woff2?|png|svg)""", TEMPLATES)
        == []
    )
    assert found(r"url\([\"']?(?:https?:)?//|@import", STYLES) == []


def test_every_icon_that_is_named_exists() -> None:
    named = r"""components/icon\.html" with name="([\w-]+)"|\bicon="([\w-]+)"|\bicon\("([\w-]+)\""""
    for path in TEMPLATES + SCRIPTS:
        for match in re.finditer(named, path.read_text(encoding="utf-8")):
            name = next(group for group in match.groups() if group)
            assert name in ICONS, f"{path.relative_to(ROOT)} names the icon {name}"


def test_every_module_is_fetched_at_once() -> None:
    preloaded = re.findall(
        r"modulepreload\" href=\"{% static 'js/([\w/-]+\.js)' %}",
        (ROOT / "templates/components/scripts.html").read_text(encoding="utf-8"),
    )
    entries = {"app.js", "entrance.js", "theme.js"}
    modules = {path.relative_to(ROOT / "static" / "js").as_posix() for path in SCRIPTS}
    assert sorted(preloaded) == sorted(modules - entries)


def test_every_token_that_is_used_is_defined() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in STYLES)
    defined = set(re.findall(r"(--[\w-]+)\s*:", text))
    set_by_scripts = {"--guide", "--tick", "--split"}
    used = set(re.findall(r"var\((--[\w-]+)", text))
    assert used - defined - set_by_scripts == set()


def test_components_take_colours_from_tokens_only() -> None:
    # Black or white with transparency shades what is behind; every other colour is a token.
    components = [path for path in STYLES if path.parent.name == "components"]
    colours = found(r"#[0-9a-fA-F]{3,8}\b(?!\))", components)
    assert [one for one in colours if not one.endswith("#fff")] == []


def test_no_script_parses_text_of_a_trace_as_markup() -> None:
    unsafe = found(
        r"\.(?:innerHTML|outerHTML)\s*=|insertAdjacentHTML|document\.write|\beval\(", SCRIPTS
    )
    # Fragments that our own server rendered and escaped are parsed in an inert template.
    assert [one for one in unsafe if "socket.js" not in one and "span-panel.js" not in one] == []
