"""Reading and decompressing request bodies, whole or not at all.

A ClickHouse client may send several compressed frames one after the other in one body. Each of
them is decoded, and a body that ends early or holds something else raises: an insert never
receives a part of what was sent. Sizes are limited before and after decompression.
"""

import zlib
from collections.abc import Callable
from typing import BinaryIO, Protocol

import lz4.frame
from backports import zstd

from traces.store.engine.errors import (
    BAD_ARGUMENTS,
    CANNOT_DECOMPRESS,
    UNKNOWN_COMPRESSION_METHOD,
    EngineError,
)

_SLICE_BYTES = 256 * 1024
_CHUNK_LINE_BYTES = 1024


class BodyCutShort(Exception):
    """The client went away before its whole body had arrived; there is nobody to answer."""


class _Decompressor(Protocol):
    """One compressed frame; the shape of ``bz2.BZ2Decompressor``."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes | None: ...
    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


class _ZlibMember:
    """``zlib.decompressobj`` in the shape of the other decompressors."""

    def __init__(self, wbits: int) -> None:
        self._inner = zlib.decompressobj(wbits)
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        out = self._inner.decompress(self._inner.unconsumed_tail + data, max_length)
        self.needs_input = not self._inner.unconsumed_tail and len(out) < max_length
        return out


_DECOMPRESSORS: dict[str, Callable[[], _Decompressor]] = {
    "gzip": lambda: _ZlibMember(31),
    "deflate": lambda: _ZlibMember(15),
    "lz4": lz4.frame.LZ4FrameDecompressor,
    "zstd": zstd.ZstdDecompressor,
}


def read(
    stream: BinaryIO, content_length: str | None, transfer_encoding: str | None, max_bytes: int
) -> bytes:
    """Read one HTTP body as it was sent.

    Raises EngineError with status 413 over ``max_bytes`` and 400 for framing that is wrong,
    BodyCutShort when the connection ends before the body does.
    """
    if transfer_encoding is not None and transfer_encoding.strip().lower() == "chunked":
        return _read_chunked(stream, max_bytes)
    if transfer_encoding is not None and transfer_encoding.strip().lower() != "identity":
        raise EngineError.refused(
            BAD_ARGUMENTS, f"Transfer-Encoding {transfer_encoding!r} is not supported"
        )
    if content_length is None:
        return b""
    if not (content_length.isascii() and content_length.isdigit()):
        raise EngineError.refused(BAD_ARGUMENTS, f"Content-Length {content_length!r} is no number")
    length = int(content_length)
    if length > max_bytes:
        raise _too_large(max_bytes, "The body")
    return _read_exactly(stream, length)


def decode(body: bytes, content_encoding: str | None, max_bytes: int) -> bytes:
    """Undo a Content-Encoding over the whole body, every frame of it.

    Raises EngineError: 400 for an unknown encoding and for data that is damaged or ends early,
    413 when more than ``max_bytes`` would come out.
    """
    name = (content_encoding or "identity").strip().lower()
    if name == "identity" or not body:
        return body
    new_decompressor = _DECOMPRESSORS.get(name)
    if new_decompressor is None:
        raise EngineError.refused(
            UNKNOWN_COMPRESSION_METHOD,
            f"Content-Encoding {content_encoding!r} is not supported; send one of identity, "
            f"{', '.join(sorted(_DECOMPRESSORS))}",
        )
    try:
        return _decompress(body, new_decompressor, max_bytes)
    except (zlib.error, zstd.ZstdError, RuntimeError, EOFError) as error:
        raise EngineError.refused(
            CANNOT_DECOMPRESS, f"The {name} body cannot be decompressed: {error}"
        ) from error


def _decompress(body: bytes, new: Callable[[], _Decompressor], max_bytes: int) -> bytes:
    parts: list[bytes] = []
    left = max_bytes
    frame: _Decompressor | None = None
    # In slices, because a decompressor copies what follows its frame: with the whole body at
    # once, a body of many small frames would be copied once a frame.
    for start in range(0, len(body), _SLICE_BYTES):
        pending = body[start : start + _SLICE_BYTES]
        while pending:
            frame = new() if frame is None else frame
            fed, pending = pending, b""
            while True:
                part = frame.decompress(fed, left + 1)
                fed = b""
                left -= len(part)
                if left < 0:
                    raise _too_large(max_bytes, "The decompressed body")
                parts.append(part)
                if frame.eof:
                    pending, frame = frame.unused_data or b"", None
                    break
                if frame.needs_input:
                    break
    if frame is not None:
        raise EOFError("the data ends in the middle of a frame")
    return b"".join(parts)


def _read_exactly(stream: BinaryIO, length: int) -> bytes:
    data = stream.read(length)
    if len(data) != length:
        raise BodyCutShort(f"{len(data)} of {length} bytes arrived")
    return data


def _read_chunked(stream: BinaryIO, max_bytes: int) -> bytes:
    chunks: list[bytes] = []
    left = max_bytes
    while size := _read_chunk_size(stream):
        left -= size
        if left < 0:
            raise _too_large(max_bytes, "The body")
        chunks.append(_read_exactly(stream, size))
        if _read_exactly(stream, 2) != b"\r\n":
            raise EngineError.refused(BAD_ARGUMENTS, "A chunk of the body has the wrong length")
    for _ in range(64):
        trailer = stream.readline(_CHUNK_LINE_BYTES)
        if trailer in (b"\r\n", b"\n"):
            return b"".join(chunks)
        if not trailer:
            raise BodyCutShort("the connection ended after the last chunk")
    raise EngineError.refused(BAD_ARGUMENTS, "The chunked body has too many trailers")


def _read_chunk_size(stream: BinaryIO) -> int:
    line = stream.readline(_CHUNK_LINE_BYTES)
    if not line.endswith(b"\n"):
        raise BodyCutShort("the connection ended between two chunks")
    digits = line.split(b";", 1)[0].strip()
    if not digits or digits.strip(b"0123456789abcdefABCDEF"):
        raise EngineError.refused(BAD_ARGUMENTS, "A chunk of the body has no valid length")
    return int(digits, 16)


def _too_large(max_bytes: int, what: str) -> EngineError:
    return EngineError.refused(BAD_ARGUMENTS, f"{what} is larger than {max_bytes} bytes", 413)
