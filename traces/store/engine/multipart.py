"""Fields of a ``multipart/form-data`` body, byte for byte.

Clients send a query with long bound parameters this way. The standard library's e-mail parser
works line by line and is not meant for values with control characters in them. Files (ClickHouse's
external tables) are not taken.
"""

import re

from traces.store.engine.errors import BAD_ARGUMENTS, NOT_IMPLEMENTED, EngineError

_BOUNDARY = re.compile(r'boundary=(?:"([^"]{1,200})"|([^\s;,"]{1,200}))', re.IGNORECASE)
_NAME = re.compile(rb'[;\s]name="((?:[^"\\]|\\.)*)"', re.IGNORECASE)
_FILE_NAME = re.compile(rb"[;\s]filename\*?=", re.IGNORECASE)


def is_form(content_type: str) -> bool:
    """Tell whether a Content-Type announces a form."""
    return content_type.strip().lower().startswith("multipart/form-data")


def parse(body: bytes, content_type: str) -> dict[str, str]:
    """Return the fields of a form. Raises EngineError (400, or 501 for a file)."""
    found = _BOUNDARY.search(content_type)
    if found is None:
        raise EngineError.refused(BAD_ARGUMENTS, "The form has no boundary")
    delimiter = b"--" + (found.group(1) or found.group(2)).encode("latin-1")
    # The first delimiter has no line break before it; with one added, all parts look alike.
    parts = (b"\r\n" + body).split(b"\r\n" + delimiter)
    if len(parts) < 2 or not parts[-1].startswith(b"--"):
        raise EngineError.refused(BAD_ARGUMENTS, "The form ends before its closing boundary")
    return dict(_parse_part(part) for part in parts[1:-1])


def _parse_part(part: bytes) -> tuple[str, str]:
    head, separator, value = part.lstrip(b" \t").partition(b"\r\n\r\n")
    name = _NAME.search(head)
    if not separator or name is None:
        raise EngineError.refused(BAD_ARGUMENTS, "A part of the form has no name")
    if _FILE_NAME.search(head):
        raise EngineError.refused(
            NOT_IMPLEMENTED, "The embedded engine takes no external tables; insert the rows instead"
        )
    try:
        return name.group(1).decode(), value.decode()
    except UnicodeDecodeError as error:
        raise EngineError.refused(BAD_ARGUMENTS, "A field of the form is not UTF-8") from error
