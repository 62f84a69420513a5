"""The demo agents, run for real from their checkouts against the scripted model and a collector."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from sdk.demo import history, plan, runs, scripts
from sdk.demo.model_server import ModelServer
from tests.demo.collector import Collected, Collector

# one run of the whole plan serves all of these tests
pytestmark = pytest.mark.xdist_group("demo")

MOMENT = datetime(2026, 3, 9, 14, tzinfo=UTC)
MINUTE_NS = runs.MINUTE_NS


@dataclass(frozen=True, slots=True)
class Demo:
    """Everything of one run of the whole plan."""

    traces: list[list[Collected]]
    outcomes: dict[str, runs.Finished]
    commits: dict[str, str]
    keys: set[str]
    began_ns: int
    now_ns: int = field(default_factory=time.time_ns)

    def of(self, session: str, turn: int = 0) -> list[Collected]:
        """The spans of a session's run."""
        names = ("session.id", "gen_ai.conversation.id", "traceroot.trace.session_id")
        found = [
            trace
            for trace in self.traces
            if any(span.attributes.get(name) == session for span in trace for name in names)
        ]
        return found[turn]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    directory = tmp_path_factory.mktemp("demo")
    commits = history.build(directory / "repository", MOMENT)
    finished: list[runs.Finished] = []
    now_ns = time.time_ns()
    with Collector() as collector, ModelServer(scripts.load("demo")) as model:
        places = runs.Places(
            directory / "repository", directory / "checkouts", model.url, collector.url, "tr-demo"
        )
        count = runs.execute(plan.PAST, places, now_ns, finished.append)
        assert count == len(plan.PAST)
        outcomes = {f"{one.run.session}/{one.run.age_minutes}": one for one in finished}
        yield Demo(collector.traces(), outcomes, commits, collector.keys, now_ns)


def test_every_planned_run_is_one_trace_with_one_root(demo: Demo) -> None:
    assert len(demo.traces) == len(plan.PAST)
    for trace in demo.traces:
        ids = {span.span_id for span in trace}
        roots = [span for span in trace if not span.parent_id]
        assert len(roots) == 1
        assert all(span.parent_id in ids for span in trace if span.parent_id)
        assert all(span.resource["service.name"].startswith("puffin-") for span in trace)


def test_the_exporter_sends_the_key_of_the_project(demo: Demo) -> None:
    assert demo.keys == {"Bearer tr-demo"}


def test_runs_lie_where_the_plan_puts_them_in_the_last_day(demo: Demo) -> None:
    starts = [trace[0].start_ns for trace in demo.traces]
    wanted = sorted(demo.began_ns - (run.age_minutes or 0) * MINUTE_NS for run in plan.PAST)
    assert all(0 <= start - want < MINUTE_NS for start, want in zip(starts, wanted, strict=True))


def test_moved_spans_stay_inside_their_parents(demo: Demo) -> None:
    for trace in demo.traces:
        by_id = {span.span_id: span for span in trace}
        for span in trace:
            assert span.end_ns >= span.start_ns
            parent = by_id.get(span.parent_id)
            if parent is not None:
                assert parent.start_ns <= span.start_ns <= span.end_ns <= parent.end_ns
            assert all(span.start_ns <= event.time_ns <= span.end_ns for event in span.events)


def test_spans_carry_the_commit_that_ran(demo: Demo) -> None:
    old, new = demo.of("chat-7306"), demo.of("chat-7377")
    assert {span.attributes["traceroot.git.ref"] for span in old} == {demo.commits["v1.3.0"]}
    assert {span.attributes["traceroot.git.ref"] for span in new} == {demo.commits["v1.4.0"]}
    assert old[0].resource["service.version"] == "1.3.0"
    assert new[0].resource["deployment.environment.name"] == "production"


def test_a_refund_in_kronur_raises_deep_in_a_helper_since_the_new_release(demo: Demo) -> None:
    old, new = demo.outcomes["chat-7306/1344"], demo.outcomes["chat-7377/73"]
    assert "18,900 ISK" in old.answer
    assert new.error == "KeyError: 'ISK'"
    tool = _named(demo.of("chat-7377"), "execute_tool issue_refund")
    stack = tool.events[0].attributes["exception.stacktrace"]
    assert tool.status == 2
    assert tool.events[0].attributes["exception.type"] == "KeyError"
    assert stack.index("refunds.py") < stack.index("currencies.py")
    assert "exponent = EXPONENTS[currency]" in stack
    assert "v1.4.0/puffin/support/currencies.py" in stack


def test_a_patch_at_the_end_of_a_file_raises_since_the_new_release(demo: Demo) -> None:
    assert "slug tests pass" in demo.outcomes["ticket-SHOP-311/1215"].answer
    assert demo.outcomes["ticket-SHOP-322/611"].error.startswith("IndexError")
    tool = _named(demo.of("ticket-SHOP-322"), "apply_patch")
    assert "patching.py" in tool.events[0].attributes["exception.stacktrace"]


def test_the_support_agent_follows_the_gen_ai_conventions(demo: Demo) -> None:
    trace = demo.of("chat-7322")
    root = trace[0]
    assert root.attributes["gen_ai.operation.name"] == "invoke_agent"
    assert root.attributes["user.id"] == "aiko.tanabe"
    assert root.attributes["traceroot.trace.tags"] == ["chat", "vip"]
    assert [span.name for span in trace if span.name.startswith("execute_tool")] == [
        "execute_tool lookup_order",
        "execute_tool issue_refund",
        "execute_tool send_email",
    ]
    chat = next(span for span in trace if span.attributes["gen_ai.operation.name"] == "chat")
    assert chat.attributes["gen_ai.usage.input_tokens"] > 100
    assert chat.attributes["gen_ai.response.finish_reasons"] == ["tool_calls"]
    message = json.loads(chat.attributes["gen_ai.output.messages"])[0]
    assert message["parts"][0]["name"] == "lookup_order"
    tool = _named(trace, "execute_tool lookup_order")
    assert tool.attributes["code.file.path"] == "puffin/support/orders.py"
    assert json.loads(tool.attributes["gen_ai.tool.call.result"])["currency"] == "JPY"


def test_the_crew_follows_openinference_with_hand_offs(demo: Demo) -> None:
    trace = demo.of("brief-summer")
    kinds = [span.attributes["openinference.span.kind"] for span in trace]
    agents = [s for s in trace if s.attributes["openinference.span.kind"] == "AGENT"]
    assert [agent.name for agent in agents] == ["planner", "researcher", "writer"]
    assert [agent.attributes["graph.node.parent_id"] for agent in agents] == [
        "",
        "planner",
        "researcher",
    ]
    assert kinds[0] == "CHAIN"
    retriever = trace[kinds.index("RETRIEVER")]
    assert retriever.attributes["retrieval.documents.0.document.id"] == "note-23"
    llm = trace[kinds.index("LLM")]
    assert llm.attributes["llm.input_messages.0.message.role"] == "system"
    assert llm.attributes["llm.token_count.prompt"] > 0
    assert trace[0].attributes["tag.tags"] == ["brief"]


def test_the_coding_agent_follows_the_sdk_attributes(demo: Demo) -> None:
    trace = demo.of("ticket-SHOP-316")
    root = trace[0]
    assert root.attributes["traceroot.span.type"] == "agent"
    assert root.attributes["traceroot.span.ids_path"] == []
    assert root.attributes["traceroot.trace.user_id"] == "ci"
    assert root.resource["deployment.environment.name"] == "staging"
    patch = _named(trace, "apply_patch")
    assert patch.attributes["traceroot.span.path"] == ["coding_agent", "apply_patch"]
    assert patch.attributes["traceroot.span.ids_path"] == [root.span_id]
    assert patch.attributes["traceroot.git.source_file"] == "puffin/coding/tools.py"
    assert patch.attributes["traceroot.git.source_function"] == "run"
    tests = [span for span in trace if span.name == "run_tests"]
    assert tests[0].attributes["traceroot.span.output"].startswith("Tests fail.")
    assert tests[-1].attributes["traceroot.span.output"].startswith("All tests pass.")


def test_a_refused_refund_is_announced_as_done(demo: Demo) -> None:
    tool = _named(demo.of("chat-7347"), "execute_tool issue_refund")
    assert json.loads(tool.attributes["gen_ai.tool.call.result"])["status"] == "refused"
    assert "has been issued" in demo.outcomes["chat-7347/540"].answer


def test_another_refused_refund_is_told_honestly(demo: Demo) -> None:
    assert "I cannot refund" in demo.outcomes["chat-7325/884"].answer


def test_a_failed_mail_is_never_made_good(demo: Demo) -> None:
    mails = [span for span in demo.of("chat-7350") if span.name == "execute_tool send_email"]
    assert [mail.status for mail in mails] == [2]
    assert "550" in mails[0].attributes["gen_ai.tool.call.result"]


def test_a_wrong_order_number_is_corrected(demo: Demo) -> None:
    lookups = [s for s in demo.of("chat-7353") if s.name == "execute_tool lookup_order"]
    assert [lookup.status for lookup in lookups] == [2, 0]


def test_the_same_search_is_repeated_five_times(demo: Demo) -> None:
    searches = [s for s in demo.of("chat-7358") if s.name == "execute_tool search_policy"]
    arguments = {search.attributes["gen_ai.tool.call.arguments"] for search in searches}
    assert (len(searches), len(arguments)) == (5, 1)


def test_one_run_is_slow_and_one_expensive(demo: Demo) -> None:
    slow = demo.of("chat-7374")[0]
    assert 45 < (slow.end_ns - slow.start_ns) / 1e9 < 120
    tokens = [
        sum(int(span.attributes.get("llm.token_count.prompt", 0)) for span in trace)
        for trace in demo.traces
    ]
    assert max(tokens) > 100_000
    assert sorted(tokens)[-2] < 20_000


def test_a_session_holds_several_turns_that_remember_each_other(demo: Demo) -> None:
    turns = [trace for trace in demo.traces if trace[0].attributes.get("session.id") == "chat-7341"]
    assert len(turns) == 4
    chat = next(s for s in turns[2] if s.attributes["gen_ai.operation.name"] == "chat")
    assert "PP-1042" in chat.attributes["gen_ai.input.messages"]


def test_an_agent_that_cannot_start_is_reported_with_its_last_words(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    directory = tmp_path_factory.mktemp("broken")
    history.build(directory / "repository", MOMENT)
    places = runs.Places(
        directory / "repository",
        directory / "checkouts",
        "http://127.0.0.1:9/v1",
        "http://127.0.0.1:9",
        "k",
    )
    checkout = history.checkout(places.repository, "v1.4.0", places.checkouts / "v1.4.0")
    (checkout / "puffin" / "job.py").write_text("raise RuntimeError('no job today')\n")
    with pytest.raises(runs.RunsFailed, match="no job today"):
        runs.execute(plan.LIVE[:1], places, time.time_ns(), lambda finished: None)


def _named(trace: list[Collected], name: str) -> Collected:
    return next(span for span in trace if span.name == name)
