"""Everything that can be reached by URL, walked out of the resolver."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.converters import get_converters
from django.urls.resolvers import RoutePattern

OUR_APPS = ("accounts", "integrations", "traces", "detectors", "debugging", "traceroot_site")
PROJECT_TREE = "projects/<uuid:project_id>/"
ORGANIZATION_TREE = "organizations/<uuid:organization_id>/"
API_TREE = "api/v1/public/"

_ARGUMENT = re.compile(r"<(?:(?P<converter>[^<>:]+):)?(?P<name>[^<>]+)>")


@dataclass(frozen=True, slots=True)
class Place:
    """One URL pattern. `arguments`: names and converters of what stands in the route."""

    route: str
    name: str
    view: Callable[..., Any]
    arguments: tuple[tuple[str, str], ...]

    @property
    def app(self) -> str:
        return self.name.partition(":")[0] if ":" in self.name else ""

    def url(self, values: dict[str, object]) -> str:
        def fill(match: re.Match[str]) -> str:
            converter = get_converters()[match["converter"] or "str"]
            return converter.to_url(values[match["name"]])

        return "/" + _ARGUMENT.sub(fill, self.route)


def all_places() -> list[Place]:
    return list(_walk(get_resolver(), "", ()))


def under(tree: str) -> list[Place]:
    return [place for place in all_places() if place.route.startswith(tree)]


def _walk(resolver: URLResolver, prefix: str, namespaces: tuple[str, ...]) -> Iterator[Place]:
    for pattern in resolver.url_patterns:
        route = prefix + _route(pattern)
        if isinstance(pattern, URLResolver):
            inner = (*namespaces, pattern.namespace) if pattern.namespace else namespaces
            yield from _walk(pattern, route, inner)
            continue
        arguments = tuple(
            (match["name"], match["converter"] or "str") for match in _ARGUMENT.finditer(route)
        )
        name = ":".join((*namespaces, pattern.name or ""))
        yield Place(route, name, pattern.callback, arguments)


def _route(pattern: URLPattern | URLResolver) -> str:
    """Regular expressions occur in other people's apps (admin, allauth) only."""
    return str(pattern.pattern) if isinstance(pattern.pattern, RoutePattern) else "(regex)"
