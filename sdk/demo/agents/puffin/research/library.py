"""The crew's library: notes of the shop's buyers, searched by words."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Document:
    id: str
    title: str
    text: str
    score: float = 0.0


_FILLS = ("80/20 polyester", "recycled staple", "kapok blend", "aerogel laminate", "650 duck down")
_ITEMS = ("quilt", "mitten", "bivy bag", "vest", "sleeping bag", "hood", "bootie", "liner")


def search(query: str, limit: int = 3) -> list[Document]:
    """The documents that share most words with the query; a title word counts twice."""
    wanted = set(_words(query))
    scored = []
    for document in DOCUMENTS:
        hits = 2 * len(wanted & set(_words(document.title)))
        hits += len(wanted & set(_words(document.text[:2000])))
        score = round(hits / (3 * len(wanted) or 1), 3)
        if score > 0:
            scored.append(Document(document.id, document.title, document.text, score))
    return sorted(scored, key=lambda found: (-found.score, found.id))[:limit]


def page(document_id: str) -> str | None:
    """The whole text of a document; None when the archive has lost it."""
    return next((one.text for one in DOCUMENTS if one.id == document_id and one.text), None)


def _words(text: str) -> list[str]:
    return [word for word in re.findall(r"[a-z]+", text.lower()) if len(word) > 3]


def _catalogue() -> str:
    rows = ["Full catalogue of our insulation suppliers, one line an article."]
    for number in range(1400):
        fill = _FILLS[number % len(_FILLS)]
        item = _ITEMS[number // 7 % len(_ITEMS)]
        price = 18 + number * 37 % 260
        rows.append(
            f"Article {4000 + number}: {item}, {fill}, {120 + number * 13 % 400} g, "
            f"{price}.{number % 10}0 EUR, delivery in {2 + number % 9} weeks, "
            f"minimum order {10 + number % 5 * 20} pieces"
        )
    return "\n".join(rows)


DOCUMENTS = (
    Document(
        "note-12",
        "Synthetic insulation that keeps warm when wet",
        "Our damp-room test of March: a staple-fibre jacket kept 81 percent of its warmth after an "
        "hour of spray, the down jacket beside it 34 percent. Hydrophobic down lay between them "
        "with 58 percent. Customers on coasts ask for synthetic insulation from September on.",
    ),
    Document(
        "note-19",
        "Down and its alternatives: prices",
        "650 duck down rose by 14 percent within a year. Kapok blends cost a third less and weigh "
        "a fifth more at the same warmth. Two suppliers offer kapok without a minimum order.",
    ),
    Document(
        "note-23",
        "Bikepacking bags in the Nordics",
        "Frame bags sell from April to June, three quarters of them in two sizes. Returns are "
        "mostly about straps that slip on carbon frames. Welded seams are asked for by name.",
    ),
    Document(
        "note-27",
        "Aluminium tent poles: supplier risk",
        "Two mills make nine tenths of the tubes that our tents use. A third one, in Galicia, can "
        "deliver 8.5 mm tubes within seven weeks and has passed our bending test.",
    ),
    Document("note-31", "Merino and its price in the autumn auctions", ""),
    Document(
        "note-34",
        "Merino base layers: what customers return",
        "One in eleven base layers comes back, mostly for holes under the arms in the first "
        "season. The 170 g fabric with a nylon core comes back half as often.",
    ),
    Document("catalogue", "Catalogue of insulation suppliers, complete", _catalogue()),
)
