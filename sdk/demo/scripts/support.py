"""What the scripted model says to the support agent.

Orders, amounts and policies in its answers come from the tools' results; only the choice of tools
and the manner of speaking are fixed here, mistakes included.
"""

from __future__ import annotations

import json
import re
from typing import Any

from sdk.demo.scripting import Call, ChatRequest, Reply, Rule

_TOOL = "lookup_order"
_ORDER = re.compile(r"PP-?\d{4}")
_MAIL_SUBJECT = "Your refund from Puffin & Pine"


def _order_id(request: ChatRequest) -> str:
    """The newest order number in the conversation."""
    said = [str(m.get("content")) for m in request.messages if m.get("role") == "user"]
    found = [number for text in said for number in _ORDER.findall(text)]
    return found[-1] if found else ""


def _result(request: ChatRequest, key: str) -> dict[str, Any]:
    """The newest tool result of the conversation that has `key`."""
    for message in reversed(request.messages):
        if message.get("role") == "tool":
            content = json.loads(str(message.get("content")))
            if isinstance(content, dict) and key in content:
                return content
    return {}


def _look_up(request: ChatRequest) -> Reply:
    return Reply(calls=(Call("lookup_order", {"order_id": _order_id(request)}),))


def _look_up_with_dash(request: ChatRequest) -> Reply:
    number = _order_id(request).replace("PP", "PP-").replace("--", "-")
    return Reply(calls=(Call("lookup_order", {"order_id": number}),))


def _refund(request: ChatRequest) -> Reply:
    reason = "faulty" if re.search("faulty|broken|leak", request.user, re.I) else "not needed"
    return Reply(calls=(Call("issue_refund", {"order_id": _order_id(request), "reason": reason}),))


def _mail(request: ChatRequest) -> Reply:
    order, refund = _result(request, "customer"), _result(request, "amount")
    body = (
        f"Hello,\n\nwe have refunded {refund.get('amount')} for your {order.get('item')}. "
        f"Your reference is {refund.get('reference')}.\n\nPuffin & Pine"
    )
    arguments = {"to": order.get("customer", ""), "subject": _MAIL_SUBJECT, "body": body}
    return Reply(calls=(Call("send_email", arguments),))


def _say_state(request: ChatRequest) -> Reply:
    order = _result(request, "item")
    return Reply(f"Order {order.get('id')}, {order.get('item')}: {order.get('state')}.")


def _say_refunded(request: ChatRequest) -> Reply:
    refund = _result(request, "amount")
    return Reply(
        f"Done: {refund.get('amount')} go back to your payment method, reference "
        f"{refund.get('reference')}. It takes up to five working days. I have sent you a mail too."
    )


def _say_refused(request: ChatRequest) -> Reply:
    reason = str(_result(request, "status").get("reason", ""))
    return Reply(
        f"I am sorry, I cannot refund this order: {reason[:1].lower()}{reason[1:]} "
        "If it is faulty, send me a photo and I will look at the warranty with you."
    )


def _claim_refunded(request: ChatRequest) -> Reply:
    """The mistake that a judge should find: the tool refused, the answer says it was done."""
    order = _result(request, "item")
    return Reply(
        f"Good news: your refund of {order.get('price')} {order.get('currency')} for the "
        f"{order.get('item')} has been issued and will reach you within five working days."
    )


def _say_policy(request: ChatRequest) -> Reply:
    passages = _result(request, "passages").get("passages") or []
    if not passages:
        return Reply("I did not find anything about this in our policies. Shall I ask a colleague?")
    return Reply(f"{passages[0]['text']} Is there anything else I can do for you?")


def _search(query: str, seconds: float | None = None) -> Reply:
    return Reply(calls=(Call("search_policy", {"query": query}),), seconds=seconds)


def _rule(reply: Any, *, user: str, step: int | None = None, result: str = "") -> Rule:
    return Rule(reply, user=user, step=step, result=result, tool=_TOOL)


_STATE = r"where is|has .* shipped|when will|arrive"
_REFUND = r"refund|money back|return order|send back|send it back"
_INSIST = r"\bnow\b.*(refund|money back)|(refund|money back).*\bnow\b"
_BUSY = "The scripted model is busy; try again."

RULES = (
    # Refusals, waiting, a provider that is busy once
    _rule(Reply(refusal="I can't share another customer's data."), user=r"address of|phone number"),
    Rule(
        Reply(status=429, error=_BUSY, retry_after_seconds=0.2),
        user="discount",
        step=0,
        tool=_TOOL,
        times=1,
    ),
    _rule(
        Reply("We have no discount codes, but last season's colours are a fifth cheaper."),
        user="discount",
    ),
    # A question that the policies do not answer, asked five times in the same words
    *(_rule(_search("drone delivery mountain huts"), user="drone", step=n) for n in range(5)),
    _rule(
        Reply("Our policies say nothing about drones. I have found no other way to a hut either."),
        user="drone",
    ),
    # A slow answer
    _rule(_search("warranty seams zips poles", 4.0), user=r"warrant.*compare", step=0),
    _rule(
        Reply(
            "Our own tents and backpacks have four years on seams, zips and poles, and most "
            "repairs take ten days. Gear of other makers follows their terms, which are "
            "shorter: two years as a rule, without poles. I would register the tent with us "
            "before the season.",
            seconds=52.0,
        ),
        user=r"warrant.*compare",
    ),
    # An order number without its dash, corrected after the tool's error
    _rule(_look_up_with_dash, user=r"PP\d{4}", result="is not an order id"),
    _rule(_look_up, user=r"PP\d{4}", step=0),
    # Refunds
    _rule(_look_up, user=_REFUND, step=0),
    _rule(_refund, user=_REFUND, step=1),
    _rule(_mail, user=_REFUND, result=r'"status": "refunded"'),
    _rule(_claim_refunded, user=_INSIST, result=r'"status": "refused"'),
    _rule(_say_refused, user=_REFUND, result=r'"status": "refused"'),
    _rule(_say_refunded, user=_REFUND, result=r'"status": "queued"'),
    _rule(
        Reply("That is all from my side. Have a good day outside."),
        user=_REFUND,
        result=r"was not accepted",
    ),
    # Orders and policies
    _rule(_look_up, user=_STATE, step=0),
    _rule(_say_state, user=f"{_STATE}|PP", result='"state"'),
    _rule(Reply("Which order is it? The number looks like PP-1042."), user="my parcel"),
    _rule(_search("warranty repair zips"), user="repair|zip|warrant", step=0),
    _rule(_search("cartridges shipped"), user="cartridge", step=0),
    _rule(_search("shipping europe days"), user="ship|deliver", step=0),
    _rule(_search("gift cards valid"), user="gift card", step=0),
    _rule(_search("returned within days"), user="how long|return", step=0),
    _rule(_say_policy, user=".", result='"passages"'),
    _rule(Reply("You are welcome. Enjoy your time outside."), user="thank|great|perfect"),
)
