"""The tools of the support desk."""

from __future__ import annotations

from . import mail, orders, policies, refunds

TOOLS = {
    tool.name: tool
    for tool in (
        orders.LOOKUP_ORDER,
        policies.SEARCH_POLICY,
        refunds.ISSUE_REFUND,
        mail.SEND_EMAIL,
    )
}
