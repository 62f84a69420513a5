"""Trace pages, mounted under `projects/<uuid:project_id>/`."""

from __future__ import annotations

from django.urls import path

from traces.pages import (
    coding_agents,
    deletions,
    ingest_health,
    ingest_rules,
    lists,
    prices,
    retention,
    start,
    trace,
)

app_name = "traces"
urlpatterns = [
    path("traces", lists.trace_list, name="list"),
    path("traces/", lists.trace_list, name="list_with_slash"),
    path("traces/<hex32:trace_id>/", trace.trace, name="trace"),
    path("traces/<hex32:trace_id>/facts/", trace.header, name="facts"),
    path("traces/<hex32:trace_id>/tree/", trace.tree, name="tree"),
    path("traces/<hex32:trace_id>/spans/<hex16:span_id>/", trace.span, name="span"),
    path("traces/<hex32:trace_id>/delete/", deletions.delete_trace, name="delete_trace"),
    path("deletions/", deletions.deletions, name="deletions"),
    path("deletions/ask/", deletions.ask, name="ask_deletion"),
    path("deletions/<uuid:deletion_id>/retry/", deletions.retry, name="retry_deletion"),
    path("delete/", deletions.delete_project, name="delete_project"),
    path("retention/", retention.retention, name="retention"),
    path("retention/default/", retention.set_default, name="set_retention"),
    path("retention/apply/", retention.apply, name="apply_retention"),
    path("retention/rules/add/", retention.add_rule, name="add_retention_rule"),
    path(
        "retention/rules/<uuid:retention_rule_id>/delete/",
        retention.delete_rule,
        name="delete_retention_rule",
    ),
    path("ingest/", ingest_health.ingest_health, name="ingest_health"),
    path("coding-agents/", coding_agents.coding_agents, name="coding_agents"),
    path("ingest/rules/", ingest_rules.rules, name="ingest_rules"),
    path("ingest/rules/add/", ingest_rules.add, name="add_rule"),
    path("ingest/rules/limit/", ingest_rules.set_limit, name="set_ingest_limit"),
    path("ingest/rules/<uuid:rule_id>/enable/", ingest_rules.enable, name="enable_rule"),
    path("ingest/rules/<uuid:rule_id>/delete/", ingest_rules.delete, name="delete_rule"),
    path("prices/", prices.prices, name="prices"),
    path("prices/add/", prices.add, name="add_price"),
    path("prices/rule/", prices.set_rule, name="set_cost_rule"),
    path("prices/<uuid:override_id>/end/", prices.end, name="end_price"),
    path("prices/<uuid:override_id>/delete/", prices.delete, name="delete_price"),
    path("getting-started/", start.getting_started, name="getting_started"),
    path("getting-started/arrival/", start.arrival, name="arrival"),
]
