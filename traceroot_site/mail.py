"""Mail without a mail server: each message becomes a file, named on the terminal."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from traceroot_site.up import terminal


class EmailBackend(BaseEmailBackend):
    """`files`: what this connection wrote, for the sender who wants to say where a mail is."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.files: list[Path] = []

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        directory = Path(settings.EMAIL_FILE_PATH)
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        for message in email_messages:
            stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
            file = directory / f"{stamp}-{secrets.token_hex(3)}.eml"
            file.write_bytes(message.message().as_bytes())
            self.files.append(file)
            recipients = ", ".join(message.recipients())
            subject = " ".join(message.subject.split())
            terminal.say(f"  Mail to {recipients}: {subject}\n    {file}")
        return len(email_messages)
