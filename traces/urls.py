"""Trace pages, mounted under `projects/<uuid:project_id>/`."""

from __future__ import annotations

from django.urls import path

from traces.pages import ingest_health, ingest_rules, lists, prices, start, trace

app_name = "traces"
urlpatterns = [
    path("traces", lists.trace_list, name="list"),
    path("traces/", lists.trace_list, name="list_with_slash"),
    path("traces/<hex32:trace_id>/", trace.trace, name="trace"),
    path("traces/<hex32:trace_id>/facts/", trace.header, name="facts"),
    path("traces/<hex32:trace_id>/tree/", trace.tree, name="tree"),
    path("traces/<hex32:trace_id>/spans/<hex16:span_id>/", trace.span, name="span"),
    path("ingest/", ingest_health.ingest_health, name="ingest_health"),
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
