"""What the scripted model says to the research crew: planner, researcher and writer.

Words in the question, which the planner puts into its brief, tell which way it goes.
"""

from __future__ import annotations

import json
import re

from sdk.demo.scripting import Call, ChatRequest, Reply, Rule

_PLANNER = "You plan research"
_RESEARCHER = "You are the researcher"
_WRITER = "You are the writer"


def _plan(request: ChatRequest) -> Reply:
    brief = (
        f"Question: {request.user}\nFind (1) what our own tests and sales say, (2) prices and "
        "supply, (3) what customers return. Keep the id of every note you use."
    )
    return Reply(calls=(Call("hand_off", {"to": "researcher", "brief": brief}),))


def _search(query: str) -> Reply:
    return Reply(calls=(Call("search_library", {"query": query}),))


def _open_best(request: ChatRequest) -> Reply:
    """Opens the best hit that has not been opened yet; the catalogue only when asked for it."""
    left_out = {
        "catalogue",
        *(
            json.loads(call["function"]["arguments"]).get("document_id")
            for message in request.messages
            for call in message.get("tool_calls") or ()
        ),
    }
    for result in reversed(request.results):
        if result.startswith("[{"):
            ids = [hit["id"] for hit in json.loads(result) if hit["id"] not in left_out]
            if ids:
                return Reply(calls=(Call("open_page", {"document_id": ids[0]}),))
    return _hand_to_writer(request)


def _hand_to_writer(request: ChatRequest) -> Reply:
    notes = [text[:420] for text in request.results if not text.startswith(("[", "{"))]
    question = request.user.partition("\n")[0]
    return Reply(
        calls=(
            Call(
                "hand_off",
                {"to": "writer", "brief": f"{question}\nNotes:\n" + "\n".join(notes)},
            ),
        )
    )


def _write(request: ChatRequest) -> Reply:
    question, _, notes = request.user.partition("\nNotes:\n")
    sentences = notes.replace("\n", " ").split(". ")
    body = ". ".join(sentences[:5]).strip()
    if not body:
        return Reply(f"{question}\n\nOur library has nothing that answers this. I would not guess.")
    return Reply(f"{question}\n\n{body.rstrip('.')}.\n\nSource: the buyers' notes named above.")


def _count_articles(request: ChatRequest) -> Reply:
    """What reading it three times was for: two figures."""
    catalogue = request.results[-1]
    prices = [float(price) for price in re.findall(r"(\d+\.\d\d) EUR", catalogue)]
    note = (
        f"The catalogue lists {len(prices)} articles (catalogue). Their prices reach from "
        f"{min(prices):.2f} to {max(prices):.2f} EUR (catalogue)"
    )
    brief = f"Question: every article of the catalogue\nNotes:\n{note}"
    return Reply(calls=(Call("hand_off", {"to": "writer", "brief": brief}),))


def _reread(request: ChatRequest) -> Reply:
    """The expensive way: the whole catalogue, again and again, each time with another question."""
    return Reply(calls=(Call("open_page", {"document_id": "catalogue"}),))


RULES = (
    Rule(_plan, system=_PLANNER),
    # The same search five times, since nothing fits
    *(
        Rule(_search("carbon neutral certificate zips"), system=_RESEARCHER, user="zipper", step=n)
        for n in range(5)
    ),
    Rule(_hand_to_writer, system=_RESEARCHER, user="zipper"),
    # The expensive run: the complete catalogue in the context, three times over
    Rule(
        _search("complete catalogue insulation suppliers"),
        system=_RESEARCHER,
        user="every article",
        step=0,
    ),
    *(Rule(_reread, system=_RESEARCHER, user="every article", step=n) for n in (1, 2, 3)),
    Rule(_count_articles, system=_RESEARCHER, user="every article"),
    # A page that is gone: recovered by the next one, or (auction) written about anyway
    Rule(_search("merino price autumn auctions"), system=_RESEARCHER, user="auction", step=0),
    Rule(
        Reply(calls=(Call("open_page", {"document_id": "note-31"}),)),
        system=_RESEARCHER,
        user="merino",
        step=1,
    ),
    Rule(
        Reply(
            calls=(
                Call(
                    "hand_off",
                    {
                        "to": "writer",
                        "brief": "Question: merino at the autumn auctions\nNotes:\nMerino prices "
                        "rose in the autumn auctions (note-31). Buy early",
                    },
                ),
            )
        ),
        system=_RESEARCHER,
        user="auction",
    ),
    Rule(_search("merino base layers customers return"), system=_RESEARCHER, user="merino", step=0),
    Rule(_open_best, system=_RESEARCHER, user="merino", step=2),
    # Everything else: search, open two notes, hand over
    Rule(
        lambda request: _search(request.user.partition("\n")[0].removeprefix("Question: ")),
        system=_RESEARCHER,
        step=0,
    ),
    Rule(_open_best, system=_RESEARCHER, step=1),
    Rule(_open_best, system=_RESEARCHER, step=2),
    Rule(_hand_to_writer, system=_RESEARCHER),
    Rule(_write, system=_WRITER),
)
