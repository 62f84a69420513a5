"""Sends one mail through Django's mail backend, and says whether trying again is worth it."""

from __future__ import annotations

import smtplib
from dataclasses import dataclass
from email.utils import parseaddr
from pathlib import Path

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection


class EmailError(Exception):
    """A mail that was not accepted. The text says by whom and why."""


class EmailUnavailable(EmailError):
    """The mail server cannot be reached or asks for patience. Worth another try."""


class EmailRefused(EmailError):
    """The mail server refuses this mail or address. Trying again will not help."""


@dataclass(frozen=True, slots=True)
class Email:
    """`message_key` is stable for one message, so that a mailbox can tell a repetition."""

    to: str
    subject: str
    text: str
    html: str
    message_key: str


def is_configured() -> bool:
    """Whether mails leave this server; without an SMTP host they become files."""
    return bool(settings.EMAIL_HOST)


def send(email: Email) -> Path | None:
    """Returns once the mail server accepted it. Raises EmailUnavailable or EmailRefused.

    On a server without a mail server it reaches nobody: then returns the file that it became.
    """
    connection = get_connection()
    message = EmailMultiAlternatives(
        subject=" ".join(email.subject.split()),
        body=email.text,
        to=[email.to],
        headers={
            "Message-ID": f"<{email.message_key}@{_sender_domain()}>",
            "Auto-Submitted": "auto-generated",
        },
        connection=connection,
    )
    message.attach_alternative(email.html, "text/html")
    try:
        message.send()
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        kind = EmailUnavailable if all(400 <= code < 500 for code in codes) else EmailRefused
        raise kind(f"The mail server refused {email.to}: {_brief(error)}") from error
    except smtplib.SMTPResponseException as error:
        kind = EmailUnavailable if 400 <= error.smtp_code < 500 else EmailRefused
        raise kind(f"The mail server answered {error.smtp_code}: {_brief(error)}") from error
    except (smtplib.SMTPException, OSError) as error:
        raise EmailUnavailable(f"{_way()} cannot be used: {_brief(error)}") from error
    files: list[Path] = getattr(connection, "files", [])  # of the backend that has no mail server
    return files[-1] if files else None


def _way() -> str:
    if is_configured():
        return f"The mail server {settings.EMAIL_HOST}:{settings.EMAIL_PORT}"
    return f"The directory for mails, {settings.EMAIL_FILE_PATH},"


def _sender_domain() -> str:
    _, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    return address.rpartition("@")[2] or "localhost"


def _brief(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]
