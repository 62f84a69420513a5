"""What the scripted model says to the coding agent."""

from __future__ import annotations

from sdk.demo.scripting import Call, Reply, Rule

_TOOL = "apply_patch"
_OLD_SLUG = '    return title.lower().replace(" ", "-")'
_NEW_SLUG = '    return "-".join(title.lower().split())'
_OLD_COUNT = "    return items // size"
_NEW_COUNT = "    return -(-items // size)"


def _patch(name: str, before: str, after: str) -> Reply:
    return Reply(calls=(Call("apply_patch", {"name": name, "before": before, "after": after}),))


def _read(name: str) -> Reply:
    return Reply(calls=(Call("read_file", {"name": name}),))


def _test(pattern: str = "") -> Reply:
    return Reply(calls=(Call("run_tests", {"pattern": pattern}),))


def _steps(user: str, *replies: Reply) -> tuple[Rule, ...]:
    return tuple(Rule(reply, user=user, tool=_TOOL, step=n) for n, reply in enumerate(replies))


RULES = (
    *_steps(
        "slug",
        _test("Slug"),
        _read("slugs.py"),
        _patch("slugs.py", _OLD_SLUG, _NEW_SLUG),
        _test("Slug"),
        Reply(
            "Slugs now come from the title's words, so spaces at the ends leave no dash. "
            "The slug tests pass."
        ),
    ),
    *_steps(
        "page count",
        _test("Paging"),
        _read("paging.py"),
        _patch("paging.py", _OLD_COUNT, _NEW_COUNT),
        _test("Paging"),
        Reply("A started page counts now: page_count rounds up. The paging tests pass."),
    ),
    # The first patch does not fit; the agent reads the file and tries again
    *_steps(
        "last page",
        _patch("paging.py", "    return items / size", _NEW_COUNT),
        _read("paging.py"),
        _patch("paging.py", _OLD_COUNT, _NEW_COUNT),
        _test("Paging"),
        Reply("The last page was lost because the division rounded down. It rounds up now."),
    ),
    # The patch never fits and the agent gives up without saying so
    *_steps(
        "currency of prices",
        _read("slugs.py"),
        _patch("prices.py", 'CURRENCY = "EUR"', 'CURRENCY = "ISK"'),
        Reply("Prices are shown in the currency of the customer's country."),
    ),
)
