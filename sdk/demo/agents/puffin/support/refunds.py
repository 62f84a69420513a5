"""Refunds: who gets one, and how much."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from . import currencies, orders
from .tool import Tool

RETURN_WINDOW_DAYS = 60


@dataclass(frozen=True, slots=True)
class Payment:
    order_id: str
    minor_units: int
    currency: str

    @property
    def reference(self) -> str:
        return "RF-" + hashlib.sha256(self.order_id.encode()).hexdigest()[:8].upper()


def issue(order_id: str, reason: str) -> dict[str, Any]:
    order = orders.find(order_id)
    refusal = _refusal(order)
    if refusal:
        return {"status": "refused", "order_id": order_id, "reason": refusal}
    payment = _prepare(order)
    return {
        "status": "refunded",
        "order_id": order_id,
        "amount": currencies.shown(payment.minor_units, payment.currency),
        "reference": payment.reference,
        "reason": reason,
    }


def _refusal(order: orders.Order) -> str:
    if order.item == "Gift card":
        return "Gift cards are not refunded."
    if order.delivered_days_ago < 0:
        return "The order has not been delivered yet."
    if order.delivered_days_ago > RETURN_WINDOW_DAYS:
        days = order.delivered_days_ago
        return f"Delivered {days} days ago; the return window is {RETURN_WINDOW_DAYS} days."
    return ""


def _prepare(order: orders.Order) -> Payment:
    minor_units = currencies.to_minor_units(order.amount, order.currency)
    return Payment(order.id, minor_units, order.currency)


ISSUE_REFUND = Tool(
    "issue_refund",
    "Refund an order in full, if the policy allows it.",
    {"order_id": "The order's id.", "reason": "Why the customer wants the refund."},
    issue,
)
