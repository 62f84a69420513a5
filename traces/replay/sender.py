"""Posts OTLP requests one after the other, waits where the receiver asks for it, and counts.

A key that is refused or an address that takes no OTLP ends everything (`SendingStopped`); a request
that the receiver rejects for its own sake is counted with its reason.
"""

from __future__ import annotations

import gzip
import json
import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from urllib.parse import urlsplit

import httpx

from traces.replay.recording import Line

OTLP_PATH = "/v1/traces"
TIMEOUT_SECONDS = 60.0
CONNECT_SECONDS = 5.0
MAX_TRIES = 8
FIRST_TRIES = 4
"""Of an address that never answered: more likely a wrong one than a restart."""
MAX_WAIT_SECONDS = 120.0
FIRST_PAUSE_SECONDS = 0.5
COMPRESS_FROM_BYTES = 1024
_TRANSIENT = frozenset({408, 429, 502, 503, 504})


class SendingStopped(Exception):
    """Nothing more can be sent; the message says why and what to do."""


@dataclass(slots=True)
class Tally:
    """What became of the requests. `rejected` counts spans by reason.

    `waits`: tries that the receiver answered by asking to wait; `unanswered`: tries without answer.
    """

    requests: int = 0
    spans: int = 0
    accepted: int = 0
    waits: int = 0
    unanswered: int = 0
    rejected: Counter[str] = field(default_factory=Counter)

    @property
    def rejected_spans(self) -> int:
        return self.rejected.total()


class Sender:
    """`rate` limits requests a second; 0 is no limit. Proxies of the environment are ignored."""

    def __init__(
        self,
        url: str,
        api_key: str,
        *,
        rate: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.url = endpoint(url)
        self.tally = Tally()
        self._rate = rate
        self._clock = clock
        self._sleep = sleep
        self._next_at = 0.0
        self._has_answered = False
        self._client = httpx.Client(
            trust_env=False,
            timeout=httpx.Timeout(TIMEOUT_SECONDS, connect=CONNECT_SECONDS),
            headers={
                "Authorization": f"Bearer {api_key}",
                "Content-Type": "application/json",
                "User-Agent": "traceroot-send-traces",
            },
        )

    def __enter__(self) -> Sender:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()

    def send(self, line: Line) -> None:
        """Delivers one request or counts why it was rejected; raises `SendingStopped`."""
        self._keep_rate()
        response = self._post(line)
        self._stop_if_hopeless(response)
        self.tally.requests += 1
        self.tally.spans += line.spans
        if response.status_code >= 300:
            reason = f"{response.status_code}: {_reason(response)}"
            self.tally.rejected[reason] += line.spans
            return
        rejected, reason = _partial_success(response)
        rejected = min(rejected, line.spans)
        if rejected:
            self.tally.rejected[reason] += rejected
        self.tally.accepted += line.spans - rejected

    def _keep_rate(self) -> None:
        if self._rate <= 0:
            return
        wait = self._next_at - self._clock()
        if wait > 0:
            self._sleep(wait)
        self._next_at = max(self._next_at, self._clock()) + 1 / self._rate

    def _post(self, line: Line) -> httpx.Response:
        headers, body = {}, line.body
        if len(body) >= COMPRESS_FROM_BYTES:
            headers, body = {"Content-Encoding": "gzip"}, gzip.compress(body, 1)
        waited = 0.0
        for attempt in range(MAX_TRIES):
            problem, asked = "", None
            try:
                response = self._client.post(self.url, content=body, headers=headers)
            except httpx.TransportError as error:
                self.tally.unanswered += 1
                problem = f"{self.url} cannot be reached: {_said(error)}."
                if not self._has_answered and attempt == FIRST_TRIES - 1:
                    raise SendingStopped(
                        f"{problem} It was tried {FIRST_TRIES} times, and nothing ever answered "
                        "there. Is TraceRoot running? Else give its address with --url."
                    ) from error
            else:
                self._has_answered = True
                if response.status_code not in _TRANSIENT:
                    return response
                self.tally.waits += 1
                problem = f"{self.url} answers {response.status_code}: {_reason(response)}"
                asked = _retry_after(response)
            pause = asked if asked is not None else FIRST_PAUSE_SECONDS * 2**attempt
            if attempt == MAX_TRIES - 1 or waited + pause > MAX_WAIT_SECONDS:
                raise SendingStopped(
                    f"Gave up at line {line.number} after {attempt + 1} tries. {problem}"
                )
            waited += pause
            self._sleep(pause)
        raise AssertionError("unreachable: the last try returns or raises")

    def _stop_if_hopeless(self, response: httpx.Response) -> None:
        status = response.status_code
        if status in {401, 403}:
            raise SendingStopped(
                f"{self.url} refuses the API key ({status}: {_reason(response)}). Give a key of "
                "the project with --api-key or TRACEROOT_API_KEY."
            )
        if status in {404, 405} or 300 <= status < 400:
            raise SendingStopped(
                f"{self.url} takes no OTLP (it answers {status}). Check --url: it is the address "
                "of the receiver or of the pages, without a path."
            )
        if status >= 500:
            raise SendingStopped(f"{self.url} failed with {status}: {_reason(response)}")


def endpoint(url: str) -> str:
    """The address for OTLP: `url` itself when it names a path, else its standard path."""
    return url if len(urlsplit(url).path) > 1 else url.rstrip("/") + OTLP_PATH


def _said(error: httpx.TransportError) -> str:
    """The error without its number: `connection refused`."""
    text = re.sub(r"^\[Errno -?\d+\] ", "", str(error)) or type(error).__name__
    return text[:1].lower() + text[1:]


def _partial_success(response: httpx.Response) -> tuple[int, str]:
    """Rejected spans and the receiver's reason, by the OTLP specification."""
    try:
        partial = response.json().get("partialSuccess") or {}
        count = int(partial.get("rejectedSpans") or 0)
    except (ValueError, AttributeError, TypeError):
        return 0, ""  # an empty body is a full success
    return count, str(partial.get("errorMessage") or "no reason given")


def _reason(response: httpx.Response) -> str:
    try:
        body = response.json()
    except ValueError:
        body = None
    if isinstance(body, dict):
        for name in ("message", "detail", "error"):
            if isinstance(body.get(name), str):
                return str(body[name])[:300]
        return json.dumps(body)[:300]
    return " ".join(response.text.split())[:300] or response.reason_phrase


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds, from either form of the header (RFC 9110, section 10.2.3)."""
    value = response.headers.get("Retry-After", "").strip()
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        when = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (when - datetime.now(UTC)).total_seconds())
