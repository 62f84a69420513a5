"""Bodies, forms and statements, taken apart without an engine."""

import gzip
import io
import zlib
from collections.abc import Callable
from typing import BinaryIO, cast

import lz4.frame
import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st

from traces.store.engine import bodies, multipart, statements
from traces.store.engine.errors import EngineError

LIMIT = 64 * 1024 * 1024
ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "lz4": lz4.frame.compress,
    "zstd": zstd.compress,
}
MIXED = bytes(range(256)) * 3000 + b"a" * 700_000


@pytest.mark.parametrize("encoding", ENCODERS)
@given(parts=st.lists(st.binary(max_size=2000), min_size=1, max_size=6))
def test_all_frames_of_a_body_are_decoded(encoding: str, parts: list[bytes]) -> None:
    body = b"".join(ENCODERS[encoding](part) for part in parts)
    assert bodies.decode(body, encoding, LIMIT) == b"".join(parts)


@pytest.mark.parametrize("encoding", ENCODERS)
def test_large_and_many_frames(encoding: str) -> None:
    encode = ENCODERS[encoding]
    body = encode(MIXED) + b"".join(encode(b"row %d\n" % n) for n in range(20_000)) + encode(MIXED)
    rows = b"".join(b"row %d\n" % n for n in range(20_000))
    assert bodies.decode(body, encoding, LIMIT) == MIXED + rows + MIXED


@pytest.mark.parametrize("encoding", ENCODERS)
def test_damaged_bodies_are_refused_whole(encoding: str) -> None:
    frame = ENCODERS[encoding](MIXED)
    for body in (frame[:-1], frame[:10], frame + frame[:-5], frame + b"garbage!", b"garbage!"):
        with pytest.raises(EngineError) as raised:
            bodies.decode(body, encoding, LIMIT)
        assert (raised.value.status, raised.value.code) == (400, 271)


@pytest.mark.parametrize("encoding", ENCODERS)
def test_decompression_stops_at_the_limit(encoding: str) -> None:
    body = ENCODERS[encoding](bytes(5_000_000))
    with pytest.raises(EngineError) as raised:
        bodies.decode(body, encoding, 4_999_999)
    assert raised.value.status == 413
    assert len(bodies.decode(body, encoding, 5_000_000)) == 5_000_000


def test_unknown_encoding_is_refused() -> None:
    with pytest.raises(EngineError, match="'br' is not supported"):
        bodies.decode(b"x", "br", LIMIT)


def test_body_without_encoding_is_left_alone() -> None:
    assert bodies.decode(MIXED, None, LIMIT) is MIXED
    assert bodies.decode(MIXED, "identity", LIMIT) is MIXED


def read(data: bytes, length: str | None, transfer: str | None) -> bytes:
    return bodies.read(cast(BinaryIO, io.BytesIO(data)), length, transfer, 1000)


def test_bodies_are_read_as_framed() -> None:
    assert read(b"abcdef", "3", None) == b"abc"
    assert read(b"", None, None) == b""
    assert read(b"3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\nT: 1\r\n\r\n", None, "chunked") == (
        b"abc0123456789"
    )


@pytest.mark.parametrize(
    ("data", "length", "transfer", "status"),
    [
        (b"", "-1", None, 400),
        (b"", "1_0", None, 400),
        (b"", "1001", None, 413),
        (b"3e9\r\n", None, "chunked", 413),
        (b"x\r\n", None, "chunked", 400),
        (b"-1\r\n", None, "chunked", 400),
        (b"2\r\nabc\r\n0\r\n\r\n", None, "chunked", 400),
        (b"", None, "gzip", 400),
    ],
)
def test_wrong_framing_is_refused(
    data: bytes, length: str | None, transfer: str | None, status: int
) -> None:
    with pytest.raises(EngineError) as raised:
        read(data, length, transfer)
    assert raised.value.status == status


@pytest.mark.parametrize(
    "data", [b"", b"3\r\nab", b"3\r\nabc\r\n", b"3\r\nabc\r\n0\r\n", b"3\r\nabc\r\n0\r\nX: 1\r\n"]
)
def test_body_that_is_cut_short_is_noticed(data: bytes) -> None:
    with pytest.raises(bodies.BodyCutShort):
        read(data, None, "chunked")
    with pytest.raises(bodies.BodyCutShort):
        read(data, "999", None)


@given(
    fields=st.dictionaries(
        st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1), st.text()
    )
)
def test_forms_keep_every_byte(fields: dict[str, str]) -> None:
    body = b"".join(
        f'--b0undary\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode()
        + value.encode()
        + b"\r\n"
        for name, value in fields.items()
    )
    if any("\r\n--b0undary" in f"\r\n{value}" for value in fields.values()):
        return
    found = multipart.parse(body + b"--b0undary--\r\n", "multipart/form-data; boundary=b0undary")
    assert found == fields


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"", "multipart/form-data", 400),
        (b"--b\r\n\r\nx", "multipart/form-data; boundary=b", 400),
        (b"--b\r\nX: y\r\n\r\nx\r\n--b--", "multipart/form-data; boundary=b", 400),
        (
            b'--b\r\nContent-Disposition: form-data; name="t"; filename="t"\r\n\r\n1\r\n--b--',
            'multipart/form-data; boundary="b"',
            501,
        ),
        (
            b'--b\r\nContent-Disposition: form-data; name="t"\r\n\r\n\xff\r\n--b--',
            "multipart/form-data; boundary=b",
            400,
        ),
    ],
)
def test_forms_that_cannot_be_used(body: bytes, content_type: str, status: int) -> None:
    with pytest.raises(EngineError) as raised:
        multipart.parse(body, content_type)
    assert raised.value.status == status


@pytest.mark.parametrize(
    ("sql", "statement", "format_name", "data"),
    [
        (b"INSERT INTO t FORMAT Native\n\n\x00;", b"INSERT INTO t ", "Native", b"\n\x00;"),
        (b"insert into t(a, b) format TSV 1\t2", b"insert into t(a, b) ", "TSV", b"1\t2"),
        (b"/* a */ -- b\nINSERT INTO t FORMAT CSV", b"/* a */ -- b\nINSERT INTO t ", "CSV", b""),
        (b"INSERT INTO t (`FORMAT x`, format) FORMAT TSV\r\n1", None, "TSV", b"1"),
        (b"INSERT INTO t SETTINGS a = 'FORMAT b' FORMAT TSV\n1", None, "TSV", b"1"),
        (b'INSERT INTO t FORMAT JSONEachRow\n{"FORMAT": 1}', None, "JSONEachRow", None),
    ],
)
def test_insert_is_split_from_its_data(
    sql: bytes, statement: bytes | None, format_name: str, data: bytes | None
) -> None:
    found = statements.split_insert(sql)
    assert found is not None
    assert found.format_name == format_name
    assert statement is None or found.statement == statement
    assert data is None or found.data == data


@pytest.mark.parametrize(
    "sql",
    [
        b"SELECT 'INSERT INTO t FORMAT x'",
        b"INSERT INTO t SELECT * FROM s FORMAT Null",
        b"INSERT INTO t VALUES ('FORMAT x')",
        b"INSERT INTO t WITH 1 AS x SELECT x FORMAT Null",
        b"INSERTED INTO t FORMAT x",
        b"",
    ],
)
def test_other_statements_carry_no_data(sql: bytes) -> None:
    assert statements.split_insert(sql) is None


@pytest.mark.parametrize(
    "sql", [b"SELECT 1;", b"SELECT 1 ; -- x\n ;", b"SELECT ';', `a;b` /* ; */", b"SELECT 1"]
)
def test_one_statement_is_one(sql: bytes) -> None:
    statements.refuse_several(sql)


@pytest.mark.parametrize("sql", [b"SELECT 1; SELECT 2", b"SELECT ';'; /* x */ SELECT 2;"])
def test_two_statements_are_refused(sql: bytes) -> None:
    with pytest.raises(EngineError, match="multi-statements"):
        statements.refuse_several(sql)
