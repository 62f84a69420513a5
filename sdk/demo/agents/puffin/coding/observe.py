"""Traces function calls with TraceRoot's span attributes: input, output, path, call site."""

from __future__ import annotations

import functools
import inspect
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from opentelemetry import trace
from opentelemetry.trace import Span, format_span_id

from ..telemetry import ROOT

P = ParamSpec("P")
R = TypeVar("R")

tracer = trace.get_tracer("puffin.coding", "0.3")
_path: ContextVar[tuple[tuple[str, str], ...]] = ContextVar("path", default=())


def observe(kind: str, name: str = "") -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A span for every call of the decorated function; `kind` is agent, tool, llm or span."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(function)

        @functools.wraps(function)
        def observed(*args: P.args, **kwargs: P.kwargs) -> R:
            caller = sys._getframe(1)
            with _span(name or function.__name__, kind) as span:
                bound = signature.bind(*args, **kwargs)
                span.set_attribute("traceroot.span.input", to_json(dict(bound.arguments)))
                span.set_attribute(
                    "traceroot.git.source_file", _relative(caller.f_code.co_filename)
                )
                span.set_attribute("traceroot.git.source_line", caller.f_lineno)
                span.set_attribute("traceroot.git.source_function", caller.f_code.co_name)
                result = function(*args, **kwargs)
                output = result if isinstance(result, str) else to_json(result)
                span.set_attribute("traceroot.span.output", output)
                return result

        return observed

    return decorate


def to_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


@contextmanager
def _span(name: str, kind: str) -> Iterator[Span]:
    parents = _path.get()
    with tracer.start_as_current_span(name) as span:
        own_id = format_span_id(span.get_span_context().span_id)
        span.set_attribute("traceroot.span.type", kind)
        span.set_attribute("traceroot.span.path", [*(one for one, _ in parents), name])
        span.set_attribute("traceroot.span.ids_path", [one for _, one in parents])
        token = _path.set((*parents, (name, own_id)))
        try:
            yield span
        finally:
            _path.reset(token)


def _relative(file: str) -> str:
    path = Path(file)
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else file
