"""Listens to a page for what a reader of its console would be ashamed of."""

from __future__ import annotations

from dataclasses import dataclass, field

from playwright.sync_api import ConsoleMessage, Page

_REPORT_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`));
"""


@dataclass
class Watch:
    """Errors of the console, of scripts and of the content security policy, with their page."""

    trouble: list[str] = field(default_factory=list)
    expected: set[str] = field(default_factory=set)

    def on(self, page: Page) -> None:
        page.add_init_script(_REPORT_VIOLATIONS)
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.trouble.append(f"{page.url}: {error}"))

    def _console(self, message: ConsoleMessage) -> None:
        if message.type not in {"error", "warning"}:
            return
        if any(text in message.text for text in self.expected):
            return
        self.trouble.append(f"{message.location.get('url', '')}: {message.text}")
