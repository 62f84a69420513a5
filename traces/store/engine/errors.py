"""Errors the engine reports, with ClickHouse's codes and the HTTP status each code maps to.

The codes are ClickHouse's own (`ErrorCodes.cpp`), and the mapping to a status follows its HTTP
handler (`exceptionCodeToHTTPStatus`), so that a client cannot tell this engine from a server.
"""

import re

BAD_ARGUMENTS = 36
NOT_IMPLEMENTED = 48
SYNTAX_ERROR = 62
UNKNOWN_COMPRESSION_METHOD = 89
INCORRECT_DATA = 117
ABORTED = 236
NOT_ENOUGH_SPACE = 243
CANNOT_DECOMPRESS = 271
AUTHENTICATION_FAILED = 516
STD_EXCEPTION = 1001

_NAMES = {
    BAD_ARGUMENTS: "BAD_ARGUMENTS",
    NOT_IMPLEMENTED: "NOT_IMPLEMENTED",
    SYNTAX_ERROR: "SYNTAX_ERROR",
    UNKNOWN_COMPRESSION_METHOD: "UNKNOWN_COMPRESSION_METHOD",
    INCORRECT_DATA: "INCORRECT_DATA",
    ABORTED: "ABORTED",
    NOT_ENOUGH_SPACE: "NOT_ENOUGH_SPACE",
    CANNOT_DECOMPRESS: "CANNOT_DECOMPRESS",
    AUTHENTICATION_FAILED: "AUTHENTICATION_FAILED",
    STD_EXCEPTION: "STD_EXCEPTION",
}

# The request's fault: text, dates and numbers that do not parse, wrong types, wrong arguments. The
# server lacks five of them (33, 89, 271, 456, 457) and answers 500; here a damaged body or a
# parameter that does not fit is always a 400.
_BAD_REQUEST = frozenset(
    {6, 8, 15, 25, 26, 27, 33, 36, 37, 38, 41, 44, 53, 62, 72, 89, 117, 123, 167, 168, 223, 271}
    | {321, 376, 427, 441, 456, 457, 675, 676}
)
_NOT_FOUND = frozenset({46, 47, 50, 56, 60, 63, 73, 78, 81, 115, 152, 336, 511})
_FORBIDDEN = frozenset({192, 193, 497, 512, AUTHENTICATION_FAILED})
# 202 and 236 (too many queries, engine stopping) are 500 on a server; 503 says to try again.
_OTHERS = {NOT_IMPLEMENTED: 501, 76: 503, 159: 408, 194: 401, 202: 503, 209: 503, 229: 413}
_OTHERS |= {ABORTED: 503, 439: 503}

_CODE = re.compile(r"Code: (\d+)")


class EngineError(Exception):
    """A request that the engine refuses or that failed in it. ``code`` is ClickHouse's."""

    def __init__(self, code: int, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.status = http_status(code) if status is None else status

    @classmethod
    def refused(cls, code: int, reason: str, status: int | None = None) -> "EngineError":
        """Word a reason of the engine's own the way ClickHouse words its exceptions."""
        text = f"Code: {code}. DB::Exception: {reason} ({_NAMES.get(code, 'UNKNOWN')})"
        return cls(code, text, status)

    @classmethod
    def from_chdb(cls, error: Exception) -> "EngineError":
        """Read code and text out of an exception that chDB raised."""
        text = str(error)
        found = _CODE.search(text)
        if found is None:
            return cls.refused(STD_EXCEPTION, text)
        return cls(int(found.group(1)), text[found.start() :])


def http_status(code: int) -> int:
    """Return the HTTP status that ClickHouse answers with for one of its error codes."""
    if code in _BAD_REQUEST:
        return 400
    if code in _NOT_FOUND:
        return 404
    if code in _FORBIDDEN:
        return 403
    return _OTHERS.get(code, 500)
