"""The rule pass on real histories, with tracebacks of programs that really failed."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from debugging import rule_pass
from debugging.rule_pass import SpanFacts
from tests.debugging.histories import History, failing_span, trace_of

PRICING = '''"""Prices of an order."""


def line_total(item):
    """Price of one line."""
    quantity = item["quantity"]
    return item["price"] * quantity


def total(items):
    result = 0
    for item in items:
        result += line_total(item)
    return result
'''
ORDERS = '''"""Orders of the shop."""

from shop.pricing import total


def load(raw):
    return [{"price": one[0], "quantity": one[1]} for one in raw]


def summarise(raw):
    items = load(raw)
    amount = total(items)
    return f"{amount:.2f}"
'''
MAIN = """from shop.orders import summarise

if __name__ == "__main__":
    print(summarise([(2.5, 3), (1.0, 1)]))
"""


@pytest.fixture
def shop(tmp_path: Path) -> History:
    """Twelve commits; the bug is not among them yet."""
    history = History(tmp_path / "shop")
    history.commit("Start the shop", {"README.md": "Shop\n", "shop/__init__.py": ""})
    history.commit("Price orders", {"shop/pricing.py": PRICING})
    history.commit("Load orders", {"shop/orders.py": ORDERS, "main.py": MAIN})
    for number in range(4):
        history.commit(f"Describe step {number}", {f"docs/step{number}.md": f"step {number}\n"})
    history.replace(
        "Explain totals",
        "shop/pricing.py",
        '"""Price of one line."""',
        '"""Price of one line: price times quantity."""',
    )
    return history


def finish(history: History) -> None:
    while len(history.shas) < 12:
        number = len(history.shas)
        history.commit(f"Write note {number}", {f"docs/note{number}.md": f"{number}\n"})


def test_names_the_failing_line_and_the_commit_that_changed_it(shop: History) -> None:
    culprit = shop.replace(
        "Read the amount", "shop/pricing.py", 'item["quantity"]', 'item["amount"]', author="Ben"
    )
    finish(shop)
    report = rule_pass.analyse(trace_of(shop, failing_span(shop.run("main.py"))), shop.mirror())
    first = report.locations[0]
    assert (first.path, first.line, first.function) == ("shop/pricing.py", 6, "line_total")
    assert report.culprits[0].sha == culprit
    assert report.culprits[0].author == "Ben"
    assert "amount" in (report.culprits[0].hunk or "")
    assert report.commit == shop.shas[-1]
    assert report.drift is None
    assert "changed the failing line" in [one.text for one in report.culprits[0].reasons]
    assert report.locations[0].reasons[0].span_ids == ("b" * 16,)


def test_blames_the_caller_when_the_failing_line_is_old(shop: History) -> None:
    culprit = shop.replace(
        "Pass the raw rows",
        "shop/orders.py",
        "amount = total(items)",
        "amount = total(raw)",
        author="Ben",
    )
    finish(shop)
    assert len(shop.shas) == 12
    report = rule_pass.analyse(trace_of(shop, failing_span(shop.run("main.py"))), shop.mirror())
    assert (report.locations[0].path, report.locations[0].line) == ("shop/pricing.py", 6)
    assert report.culprits[0].sha == culprit
    assert ("shop/orders.py", 12) in [(one.path, one.line) for one in report.locations[:3]]


def test_blames_the_producer_that_is_no_longer_on_the_stack(shop: History) -> None:
    culprit = shop.replace(
        "Keep rows short", "shop/orders.py", '"quantity": one[1]}', '"count": one[1]}', author="Ben"
    )
    finish(shop)
    report = rule_pass.analyse(trace_of(shop, failing_span(shop.run("main.py"))), shop.mirror())
    assert report.culprits[0].sha == culprit
    assert any("load" in one.text or "quantity" in one.text for one in report.culprits[0].reasons)


def test_finds_the_commit_that_removed_a_guard(shop: History) -> None:
    shop.replace(
        "Guard empty lines",
        "shop/pricing.py",
        '    quantity = item["quantity"]\n',
        '    if item["price"] is None:\n        return 0\n    quantity = item["quantity"]\n',
    )
    shop.replace("Allow free lines", "main.py", "(1.0, 1)", "(None, 1)")
    culprit = shop.replace(
        "Simplify",
        "shop/pricing.py",
        '    if item["price"] is None:\n        return 0\n',
        "",
        author="Ben",
    )
    finish(shop)
    report = rule_pass.analyse(trace_of(shop, failing_span(shop.run("main.py"))), shop.mirror())
    assert culprit in [one.sha for one in report.culprits[:2]]


def test_layout_changes_are_not_blamed(shop: History) -> None:
    culprit = shop.replace(
        "Read the amount", "shop/pricing.py", 'item["quantity"]', 'item["amount"]'
    )
    layout = shop.replace(
        "Format",
        "shop/pricing.py",
        'quantity = item["amount"]',
        "quantity = (\n        item['amount']\n    )",
    )
    finish(shop)
    report = rule_pass.analyse(trace_of(shop, failing_span(shop.run("main.py"))), shop.mirror())
    assert report.culprits[0].sha == culprit
    assert layout not in [one.sha for one in report.culprits[:1]]


def test_excerpt_shows_the_lines_around_with_their_last_change(shop: History) -> None:
    shop.replace("Read the amount", "shop/pricing.py", 'item["quantity"]', 'item["amount"]')
    report = rule_pass.analyse(trace_of(shop, failing_span(shop.run("main.py"))), shop.mirror())
    lines = {one.number: one for one in report.locations[0].excerpt}
    assert lines[6].text == '    quantity = item["amount"]'
    assert lines[6].blame is not None
    assert lines[6].blame.subject == "Read the amount"
    assert lines[7].blame is not None
    assert lines[7].blame.subject == "Price orders"


def test_longer_stacks_of_outer_spans_give_the_callers(shop: History) -> None:
    culprit = shop.replace("Pass the raw rows", "shop/orders.py", "total(items)", "total(raw)")
    finish(shop)
    whole = shop.run("main.py")
    rows = whole.split("\n")
    inner = "\n".join([rows[0], *rows[[n for n, r in enumerate(rows) if "line_total" in r][-1] :]])
    outer = failing_span(whole, span_id="1" * 16, name="agent")
    tool = failing_span(inner, span_id="2" * 16, parent_span_id="1" * 16, name="line_total")
    report = rule_pass.analyse(trace_of(shop, tool, outer), shop.mirror())
    assert set(report.locations[0].reasons[0].span_ids) == {"1" * 16, "2" * 16}
    assert report.culprits[0].sha == culprit


def test_a_tool_error_without_exception_leads_to_the_tool_and_its_message(tmp_path: Path) -> None:
    history = History(tmp_path / "agent")
    tool = 'def search_flights(city):\n    """Flights."""\n    return {"error": MESSAGE}\n'
    history.commit("Start", {"README.md": "x\n"})
    history.commit("Add tools", {"agent/tools.py": tool.replace("MESSAGE", '"no answer"')})
    culprit = history.replace(
        "Refuse all cities", "agent/tools.py", '"no answer"', '"The flight service is closed today"'
    )
    span = SpanFacts(
        "c" * 16,
        name="search_flights",
        kind="TOOL",
        status="OK",
        tool_name="search_flights",
        output='{"error": "The flight service is closed today"}',
    )
    report = rule_pass.analyse(trace_of(history, span), history.mirror())
    assert [(one.path, one.line) for one in report.locations[:2]] == [
        ("agent/tools.py", 3),
        ("agent/tools.py", 1),
    ]
    assert report.culprits[0].sha == culprit
    assert report.abstained is None


def test_a_recovered_tool_error_is_no_failure(shop: History) -> None:
    failed = SpanFacts(
        "c" * 16,
        name="total",
        kind="TOOL",
        tool_name="total",
        start_ns=1,
        output="Error: try again",
    )
    again = SpanFacts(
        "d" * 16, name="total", kind="TOOL", tool_name="total", start_ns=2, output="7.5"
    )
    report = rule_pass.analyse(trace_of(shop, failed, again), shop.mirror())
    assert report.abstained == rule_pass.NOTHING_FAILED
    assert "under Detectors" in rule_pass.NOTHING_FAILED
    assert "Choose a span" not in rule_pass.NOTHING_FAILED, "there is no way to choose one"
    assert not report.locations
    assert not report.culprits


def test_a_focused_span_is_followed_to_its_prompt(tmp_path: Path) -> None:
    history = History(tmp_path / "agent")
    history.commit(
        "Start",
        {
            "agent/prompts.py": 'PROMPT = """You are a travel agent.\n'
            'Never promise a refund to anybody.\n"""\n'
        },
    )
    culprit = history.replace(
        "Be generous",
        "agent/prompts.py",
        "Never promise a refund to anybody.",
        "Always promise a refund to everybody.",
    )
    messages = [
        {
            "role": "system",
            "content": "You are a travel agent.\nAlways promise a refund to everybody.",
        }
    ]
    span = SpanFacts(
        "c" * 16, name="ChatCompletion", kind="LLM", status="OK", input=json.dumps(messages)
    )
    report = rule_pass.analyse(trace_of(history, span), history.mirror(), focus=("c" * 16,))
    assert (report.locations[0].path, report.locations[0].line) == ("agent/prompts.py", 2)
    assert report.culprits[0].sha == culprit


def test_call_site_counts_less_than_the_stack(shop: History) -> None:
    shop.replace("Read the amount", "shop/pricing.py", 'item["quantity"]', 'item["amount"]')
    span = failing_span(
        shop.run("main.py"),
        git_source_file="main.py",
        git_source_line=4,
        git_source_function="<module>",
    )
    report = rule_pass.analyse(trace_of(shop, span), shop.mirror())
    assert report.locations[0].path == "shop/pricing.py"
    called = next(one for one in report.locations if one.path == "main.py")
    assert any("called from here" in one.text for one in called.reasons)


def test_code_attributes_are_followed_without_a_stack(shop: History) -> None:
    span = SpanFacts(
        "c" * 16,
        name="x",
        status="ERROR",
        attributes={
            "code.filepath": "/srv/app/shop/pricing.py",
            "code.lineno": 6,
            "code.function": "line_total",
        },
    )
    report = rule_pass.analyse(trace_of(shop, span), shop.mirror())
    assert (report.locations[0].path, report.locations[0].line) == ("shop/pricing.py", 6)
    assert any("no stack trace" in note for note in report.notes)


@pytest.mark.parametrize("line", ["²", "-6", "6.0", "9" * 30, None, [6]])
def test_code_attributes_with_a_line_that_is_none_still_lead_to_the_file(
    shop: History, line: object
) -> None:
    attributes = {"code.filepath": "/srv/app/shop/pricing.py", "code.lineno": line}
    span = SpanFacts("c" * 16, name="x", status="ERROR", attributes=attributes)
    report = rule_pass.analyse(trace_of(shop, span), shop.mirror())
    assert "shop/pricing.py" in {location.path for location in report.locations}


def test_a_missing_commit_is_named_as_drift(shop: History) -> None:
    shop.replace("Read the amount", "shop/pricing.py", 'item["quantity"]', 'item["amount"]')
    trace = trace_of(shop, failing_span(shop.run("main.py")), ref="f" * 40)
    report = rule_pass.analyse(trace, shop.mirror())
    assert report.commit == shop.shas[-1]
    assert report.drift
    assert "f" * 40 in report.drift
    assert "before the trace" in report.drift
    assert report.drift in report.summary


def test_abstains_when_nothing_leads_to_the_repository(shop: History) -> None:
    stack = (
        'Traceback (most recent call last):\n  File "/opt/other/thing.py", line 3, in go\n'
        "    go()\nRuntimeError: gone\n"
    )
    report = rule_pass.analyse(trace_of(shop, failing_span(stack, name="zz")), shop.mirror())
    assert report.abstained
    assert not report.culprits
    assert any("/opt/other/thing.py" in note for note in report.notes)


def test_report_is_plain_json(shop: History) -> None:
    shop.replace("Read the amount", "shop/pricing.py", 'item["quantity"]', 'item["amount"]')
    report = rule_pass.analyse(trace_of(shop, failing_span(shop.run("main.py"))), shop.mirror())
    again = json.loads(json.dumps(report.to_json()))
    assert again["culprits"][0]["sha"] == shop.shas[-1]
    assert again["locations"][0]["excerpt"][0]["blame"]["date"].startswith("2026-03-")


def test_hostile_trace_text_reaches_no_command_line(shop: History) -> None:
    stack = (
        'Traceback (most recent call last):\n  File "--output=/tmp/x/pricing.py", line 6, in '
        "line_total\n    x\nKeyError: '--open-files-in-pager=id'\n"
    )
    span = failing_span(stack, tool_name="--upload-pack=id", name="$(id)\n`id`")
    report = rule_pass.analyse(trace_of(shop, span, ref="--upload-pack=id"), shop.mirror())
    assert report.drift
    assert "--upload-pack=id" in report.drift


def test_unreadable_files_are_noted_and_survived(shop: History) -> None:
    shop.commit(
        "Add odd files",
        {
            "shop/huge.py": "x = 1\n" * 500_000,
            "shop/binary.py": b"\0\1\2" * 100,
            "shop/latin.py": "def f():\n    raise ValueError('caf\xe9')\n".encode("latin-1"),
        },
    )
    stack = "Traceback (most recent call last):\n" + "".join(
        f'  File "/app/shop/{name}.py", line 2, in f\n' for name in ("huge", "binary", "latin")
    )
    report = rule_pass.analyse(
        trace_of(shop, failing_span(stack + "ValueError: x\n")), shop.mirror()
    )
    assert (report.locations[0].path, report.locations[0].line) == ("shop/latin.py", 2)
    assert any("larger than" in note for note in report.notes)
    assert any("binary" in note for note in report.notes)


def test_three_thousand_commits_take_less_than_a_second_warm(
    tmp_path: Path, record_property: pytest.FixtureRequest
) -> None:
    history = History(tmp_path / "long")
    rows = []
    functions = "".join(
        f"def step{n}(value):\n    if value is None:\n        return 0\n"
        f"    return value + {n}\n\n\n"
        for n in range(120)
    )
    body = functions + "def run(value):\n    return step7(value)\n"
    for number in range(3000):
        mark = f"refs/heads/main\nmark :{number + 1}\n"
        text = body.replace(f"value + {number % 120}\n", f"value + {number}\n", 1)
        path = f"pkg/m{number % 40}.py"
        when = f"Ada <ada@acme.example> {1_770_000_000 + number * 3600} +0000"
        subject = f"Change {number}"
        rows.append(
            f"commit {mark}author {when}\ncommitter {when}\ndata {len(subject)}\n{subject}\n"
            f"M 100644 inline {path}\ndata {len(text.encode())}\n{text}\n"
        )
        body = text
    stream = tmp_path / "stream"
    stream.write_text("".join(rows))
    import subprocess

    with stream.open("rb") as source:
        subprocess.run(
            ["git", "fast-import", "--quiet"],
            cwd=history.directory,
            stdin=source,
            check=True,
            timeout=120,
        )
    history.git("commit-graph", "write", "--reachable", "--changed-paths")
    history.git("checkout", "-q", "main")
    sha = history.git("rev-parse", "HEAD")
    history.shas = [sha] * 3000
    source_text = (history.directory / "pkg/m7.py").read_text()
    line = source_text.split("\n").index("def step7(value):") + 4
    stack = (
        "Traceback (most recent call last):\n"
        f'  File "/app/pkg/m7.py", line {len(source_text.splitlines())}, in run\n'
        "    return step7(value)\n"
        f'  File "/app/pkg/m7.py", line {line}, in step7\n'
        f"    {source_text.splitlines()[line - 1].strip()}\n"
        'TypeError: can only concatenate str (not "int") to str\n'
    )
    trace = trace_of(history, failing_span(stack))
    rule_pass.analyse(trace, history.mirror())
    took = []
    for _ in range(3):
        started = time.perf_counter()
        report = rule_pass.analyse(trace, history.mirror())
        took.append(time.perf_counter() - started)
    print(f"rule pass over 3,000 commits: {min(took):.3f} to {max(took):.3f} s")
    assert report.locations[0].path == "pkg/m7.py"
    assert report.culprits
    assert min(took) < 1.0, took
