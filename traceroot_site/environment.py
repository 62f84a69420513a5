"""Typed reading of environment variables, with sentences for the person who set them wrong."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured


def text(name: str, default: str) -> str:
    return os.environ.get(name, "").strip() or default


def flag(name: str, default: bool) -> bool:
    raw = os.environ.get(name, "").strip().lower()
    if not raw:
        return default
    if raw in {"1", "true", "yes", "on"}:
        return True
    if raw in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{name} is {raw!r}; set it to true or false.")


def integer(name: str, default: int) -> int:
    raw = os.environ.get(name, "").strip()
    if not raw:
        return default
    try:
        return int(raw)
    except ValueError:
        raise ImproperlyConfigured(f"{name} is {raw!r}; set it to a whole number.") from None


def choice(name: str, default: str, allowed: set[str]) -> str:
    value = text(name, default)
    if value not in allowed:
        raise ImproperlyConfigured(f"{name} is {value!r}; it takes one of {sorted(allowed)}.")
    return value


def words(name: str, default: list[str]) -> list[str]:
    raw = os.environ.get(name, "")
    return [word.strip() for word in raw.split(",") if word.strip()] or default


def path(name: str, default: Path) -> Path:
    raw = os.environ.get(name, "").strip()
    return Path(raw).expanduser().resolve() if raw else default


def paths(name: str) -> list[Path]:
    """Directories separated by the platform's path separator, resolved."""
    raw = os.environ.get(name, "")
    return [Path(part).expanduser().resolve() for part in raw.split(os.pathsep) if part.strip()]


def secret(name: str, file: Path, *, required: bool) -> str:
    """The secret from the environment; else, never in production, one made once, in `file`."""
    value = os.environ.get(name, "").strip()
    if value:
        if required and len(value) < 32:
            raise ImproperlyConfigured(f"{name} is too short; use at least 32 random characters.")
        return value
    if required:
        raise ImproperlyConfigured(
            f"{name} is not set. In production set it to at least 32 random characters, for "
            'instance from: python3 -c "import secrets; print(secrets.token_urlsafe(48))"'
        )
    return _kept_secret(file)


def _kept_secret(file: Path) -> str:
    try:
        return file.read_text().strip()
    except (FileNotFoundError, NotADirectoryError):
        pass  # made below, or `up` says in a sentence why the directory cannot be used
    except OSError as error:
        raise ImproperlyConfigured(f"Cannot read {file}: {error.strerror}.") from error
    value = secrets.token_urlsafe(48)
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as handle:
            handle.write(value)
        os.link(draft, file)  # whole or not at all, also when the disk is full
    except FileExistsError:  # another process of this start was faster
        if file.is_file():
            return file.read_text().strip()
    except OSError:
        pass  # `up` and the system checks say in a sentence that the directory is unwritable
    finally:
        with contextlib.suppress(OSError):
            draft.unlink()
    return value


_SQLITE_OPTIONS = {
    "timeout": 20,
    # With the default (deferred) a read that turns into a write fails at once as "locked".
    "transaction_mode": "IMMEDIATE",
    "init_command": (
        "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;PRAGMA busy_timeout=20000;"
        "PRAGMA foreign_keys=ON;PRAGMA secure_delete=ON;"  # what is deleted is overwritten
    ),
}


# A committed row must outlive a power cut, and a drained file shrink.
_SQLITE_QUEUE_OPTIONS = {
    **_SQLITE_OPTIONS,
    "init_command": (
        "PRAGMA auto_vacuum=INCREMENTAL;PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;"
        "PRAGMA busy_timeout=20000;PRAGMA secure_delete=FAST;"
    ),
}


def database(name: str, sqlite_file: Path, *, is_queue: bool = False) -> dict[str, Any]:
    """Django's settings for `postgresql://user:password@host:port/name?option=x`, else SQLite."""
    url = os.environ.get(name, "").strip()
    if not url:
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": sqlite_file,
            "OPTIONS": _SQLITE_QUEUE_OPTIONS if is_queue else _SQLITE_OPTIONS,
            "TEST": {"NAME": sqlite_file.with_name(f"test-{sqlite_file.name}")},
        }
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ImproperlyConfigured(f"{name} must begin with postgresql://, not {parts.scheme}://.")
    options: dict[str, Any] = dict(parse_qsl(parts.query))
    options["pool"] = {"min_size": 1, "max_size": 12, "timeout": 15}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 0,  # the pool keeps connections
        "OPTIONS": options,
    }
