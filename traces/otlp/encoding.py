"""Undoes `Content-Encoding`, never producing more than it was allowed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from isal import igzip_lib, isal_zlib

try:
    from backports.zstd import ZstdDecompressor, ZstdError

    _HAS_ZSTD = True
except ImportError:  # it comes with the store's client; without it zstd is an unknown encoding
    _HAS_ZSTD = False

_GZIP, _ZLIB, _RAW_DEFLATE = 31, 15, -15
_GZIP_MAGIC = b"\x1f\x8b"
_MAX_LAYERS = 2
_MAX_STREAMS = 100


class UnknownEncoding(ValueError):
    """We do not know how to undo it."""


class BrokenEncoding(ValueError):
    """The body is not what its header says, or is cut off."""


class TooLarge(ValueError):
    """Undone, the body is larger than allowed."""


def decompress(body: bytes, content_encoding: str, max_bytes: int) -> bytes:
    """Raises UnknownEncoding, BrokenEncoding or TooLarge; of a bomb no more than a step is held."""
    layers = [name.strip().lower() for name in content_encoding.split(",")]
    layers = [name for name in layers if name not in ("", "identity")]
    if len(layers) > _MAX_LAYERS:
        raise UnknownEncoding(f"{len(layers)} encodings on top of each other")
    for name in reversed(layers):
        undo = _ENCODINGS.get(name)
        if undo is None:
            raise UnknownEncoding(f"unknown Content-Encoding {name[:40]!r}; use {SUPPORTED}")
        body = undo(body, max_bytes)
    return body


def _gunzip(body: bytes, max_bytes: int) -> bytes:
    if not body.startswith(_GZIP_MAGIC[: len(body)]):
        raise BrokenEncoding(_no_such("gzip"))
    return _inflate(body, max_bytes, _GZIP, "gzip")


def _undeflate(body: bytes, max_bytes: int) -> bytes:
    """Zlib's format, or the bare one that some clients send (RFC 9110, 8.4.1.2)."""
    try:
        return _inflate(body, max_bytes, _ZLIB, "deflate")
    except BrokenEncoding as of_zlib:
        try:
            return _inflate(body, max_bytes, _RAW_DEFLATE, "deflate")
        except BrokenEncoding:
            if _begins_as_zlib(body):
                raise of_zlib from None
            raise BrokenEncoding(_no_such("deflate")) from None


def _begins_as_zlib(body: bytes) -> bool:
    """The two bytes of its header, or an empty body (RFC 1950, 2.2)."""
    return len(body) < 2 or (body[0] & 0x0F == 8 and int.from_bytes(body[:2], "big") % 31 == 0)


def _no_such(name: str) -> str:
    return (
        f"the body is not {name}, although its Content-Encoding says so; compress it, or leave "
        "the header out"
    )


def _inflate(body: bytes, max_bytes: int, window_bits: int, name: str) -> bytes:
    pieces: list[bytes] = []
    size, rest = 0, body
    while rest:  # gzip streams may follow each other
        stream = isal_zlib.decompressobj(wbits=window_bits)
        try:
            piece = stream.decompress(rest, max_bytes - size + 1)
        except igzip_lib.IsalError as error:  # type: ignore[misc]  # its stub declares an instance
            raise BrokenEncoding(f"the body is not valid {name}: {error}") from None
        size += len(piece)
        if size > max_bytes:
            raise TooLarge(f"the body has more than {max_bytes} bytes after {name}")
        if not stream.eof:
            raise BrokenEncoding(f"the {name} body is cut off")
        pieces.append(piece)
        rest = stream.unused_data
        is_last = window_bits != _GZIP or len(pieces) == _MAX_STREAMS
        if rest and (is_last or not rest.startswith(_GZIP_MAGIC[: len(rest)])):
            raise BrokenEncoding(f"{len(rest)} bytes follow the end of the {name} body")
    if not pieces:
        raise BrokenEncoding(f"the {name} body is empty")
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _unzstd(body: bytes, max_bytes: int) -> bytes:
    pieces: list[bytes] = []
    size, rest = 0, body
    while rest:
        stream = ZstdDecompressor()
        try:
            piece = stream.decompress(rest, max_bytes - size + 1)
        except ZstdError as error:
            raise BrokenEncoding(f"the body is not valid zstd: {error}") from None
        size += len(piece)
        if size > max_bytes:
            raise TooLarge(f"the body has more than {max_bytes} bytes after zstd")
        if not stream.eof:
            raise BrokenEncoding("the zstd body is cut off")
        pieces.append(piece)
        rest = stream.unused_data
        if rest and len(pieces) == _MAX_STREAMS:
            raise BrokenEncoding(f"{len(rest)} bytes follow the end of the zstd body")
    if not pieces:
        raise BrokenEncoding("the zstd body is empty")
    return b"".join(pieces)


_ENCODINGS: Final[dict[str, Callable[[bytes, int], bytes]]] = {
    "gzip": _gunzip,
    "x-gzip": _gunzip,
    "deflate": _undeflate,
    **({"zstd": _unzstd} if _HAS_ZSTD else {}),
}
SUPPORTED = ", ".join(name for name in _ENCODINGS if not name.startswith("x-"))
