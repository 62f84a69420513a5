"""Orders of the shop."""

from __future__ import annotations

import re
import sqlite3
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from .tool import Tool, ToolError

_ROWS = [
    ("PP-1042", "mara.lindqvist@tundra.example", "Fjell 2 tent", "289.00", "EUR", 9),
    ("PP-1077", "joost.verhagen@polder.example", "Ember 400 head torch", "64.50", "EUR", -2),
    ("PP-1103", "hana.kobliha@vrch.example", "Scree mid boots", "118.00", "USD", 21),
    ("PP-1129", "orri.stefansson@hraun.example", "Squall rain jacket", "18900", "ISK", 12),
    ("PP-1134", "birna.olafs@hraun.example", "Merino base layer", "9900", "ISK", 6),
    ("PP-0981", "desmond.achebe@lagoon.example", "Drift sleeping mat", "89.00", "EUR", 96),
    ("PP-0944", "petra.novotna@vltava.example", "Cirrus down quilt", "349.00", "EUR", 131),
    ("PP-1150", "aiko.tanabe@yama.example", "Kindle gas stove", "15400", "JPY", 5),
    ("PP-1161", "lucia.ferrer@serra.example", "Gift card", "50.00", "EUR", 3),
    ("PP-1188", "sam.okafor@downs.example", "Traverse 45 backpack", "210.00", "GBP", 30),
    ("PP-1202", "nils.aaberg@fjord.example", "Trail poles, pair", "74.90", "EUR", 14),
]


@dataclass(frozen=True, slots=True)
class Order:
    id: str
    customer: str
    item: str
    price: str
    currency: str
    delivered_days_ago: int

    @property
    def amount(self) -> Decimal:
        return Decimal(self.price)


def find(order_id: str) -> Order:
    if not re.fullmatch(r"PP-\d{4}", order_id):
        raise ToolError(f"'{order_id}' is not an order id. Ids look like PP-1042.")
    with _database() as database:
        row = database.execute("SELECT * FROM orders WHERE id = ?", (order_id,)).fetchone()
    if row is None:
        raise ToolError(f"There is no order {order_id}.")
    return Order(*row)


def lookup(order_id: str) -> dict[str, Any]:
    order = find(order_id)
    days = order.delivered_days_ago
    state = f"delivered {days} days ago" if days >= 0 else f"on its way, due in {-days} days"
    return {**asdict(order), "state": state}


def _database() -> sqlite3.Connection:
    database = sqlite3.connect(":memory:")
    database.execute(
        "CREATE TABLE orders (id TEXT PRIMARY KEY, customer, item, price, currency, days INTEGER)"
    )
    database.executemany("INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?)", _ROWS)
    return database


LOOKUP_ORDER = Tool(
    "lookup_order",
    "Find an order by its id.",
    {"order_id": "The order's id, for instance PP-1042."},
    lookup,
)
