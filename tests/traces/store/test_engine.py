"""The engine's HTTP protocol, spoken by the real client over a real engine."""

import concurrent.futures
import datetime
import gzip
import http.client
import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import clickhouse_connect
import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from traces.store.engine.process import EngineProcess

TOKEN = "ada-engine-token-0123456789abcdef"
UTC = datetime.UTC
# Large enough that the client sends them in several compressed frames.
ROWS_20K = [
    [n, f"span {n} {'ü' * (n % 40)} {'x' * 500}", {"model": "gpt", "n": str(n)}, ["a", str(n)]]
    for n in range(20_000)
]
COLUMNS = ["id", "name", "attributes", "tags"]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    process = EngineProcess(tmp_path_factory.mktemp("engine"), token=TOKEN)
    process.start()
    yield process
    process.stop()


@pytest.fixture(scope="module")
def connect(engine: EngineProcess) -> Callable[..., Client]:
    def _connect(**options: Any) -> Client:
        given = {"username": "default", "password": TOKEN, "database": "default", **options}
        return clickhouse_connect.get_client(host=engine.host, port=engine.port, **given)

    return _connect


@pytest.fixture(scope="module")
def client(connect: Callable[..., Client]) -> Client:
    return connect(autogenerate_session_id=False)


@pytest.fixture
def spans(client: Client) -> Iterator[str]:
    client.command(
        "CREATE TABLE spans (id UInt64, name String, attributes Map(String, String), "
        "tags Array(String)) ENGINE = ReplacingMergeTree ORDER BY id"
    )
    yield "spans"
    client.command("DROP TABLE spans SYNC")


def send(
    engine: EngineProcess, method: str, target: str, body: Any = None, **headers: str
) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(engine.host, engine.port, timeout=20)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, target, body, named, encode_chunked=isinstance(body, Iterator))
    return connection.getresponse()


def send_as_ada(
    engine: EngineProcess, target: str, body: Any = None, **headers: str
) -> http.client.HTTPResponse:
    key = {"X_ClickHouse_User": "default", "X_ClickHouse_Key": TOKEN}
    return send(engine, "POST", target, body, **key, **headers)


# Conversation


def test_client_connects_and_reads_the_version(client: Client) -> None:
    assert str(client.server_version).split(".")[0].isdigit()
    assert client.command("SELECT timezone()") == "UTC"
    assert client.ping()


def test_ping_needs_no_token(engine: EngineProcess) -> None:
    response = send(engine, "GET", "/ping")
    assert (response.status, response.read()) == (200, b"Ok.\n")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X_ClickHouse_User": "default", "X_ClickHouse_Key": "wrong"},
        {"X_ClickHouse_User": "mallory", "X_ClickHouse_Key": TOKEN},
        {"X_ClickHouse_User": "default"},
        {"Authorization": "Basic bm90OnJlYWw="},
        {"Authorization": "Basic !!!"},
        {"Authorization": f"Bearer {TOKEN}"},
    ],
)
def test_without_the_token_nothing_is_answered(
    engine: EngineProcess, headers: dict[str, str]
) -> None:
    response = send(engine, "POST", "/", b"SELECT 1", **headers)
    assert response.status == 403
    assert response.headers["X-ClickHouse-Exception-Code"] == "516"
    assert b"SELECT" not in response.read()


def test_client_with_a_wrong_token_is_refused(connect: Callable[..., Client]) -> None:
    with pytest.raises(DatabaseError, match="516"):
        connect(password="wrong")


def test_wrong_token_is_told_even_before_a_large_body(engine: EngineProcess) -> None:
    response = send(engine, "POST", "/?query=x", b"x" * 20_000_000, X_ClickHouse_Key="wrong")
    assert response.status == 403


def test_unknown_page_is_404(engine: EngineProcess) -> None:
    assert send_as_ada(engine, "/play", b"SELECT 1").status == 404


def test_one_connection_carries_many_requests(engine: EngineProcess) -> None:
    connection = http.client.HTTPConnection(engine.host, engine.port)
    key = {"X-ClickHouse-User": "default", "X-ClickHouse-Key": TOKEN}
    ports = set()
    for n in range(20):
        connection.request("POST", "/", f"SELECT {n}" if n != 7 else "SELECT nothing", key)
        assert connection.sock is not None
        ports.add(connection.sock.getsockname()[1])
        response = connection.getresponse()
        assert response.read().startswith(b"Code: 47" if n == 7 else str(n).encode())
    assert len(ports) == 1


def test_get_reads_and_does_not_write(engine: EngineProcess) -> None:
    key = {"X_ClickHouse_User": "default", "X_ClickHouse_Key": TOKEN}
    assert send(engine, "GET", "/?query=SELECT%2041%2B1", **key).read() == b"42\n"
    refused = send(engine, "GET", "/?query=CREATE%20DATABASE%20acme", **key)
    assert refused.headers["X-ClickHouse-Exception-Code"] == "164"


def test_body_over_the_limit_is_413(tmp_path: Path) -> None:
    port_file = tmp_path / "port"
    token_file = tmp_path / "token"
    token_file.write_text(TOKEN)
    token_file.chmod(0o600)
    # fmt: off
    child = subprocess.Popen([
        sys.executable, "-m", "traces.store.engine", "--path", str(tmp_path / "engine"),
        "--port-file", str(port_file), "--token-file", str(token_file),
        "--max-body-bytes", "100000",
    ], cwd=Path(__file__).resolve().parents[3])
    # fmt: on
    try:
        deadline = time.monotonic() + 20
        while not port_file.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        small = EngineProcess(tmp_path, port=int(port_file.read_text().split()[0]), token=TOKEN)
        assert send_as_ada(small, "/", b"SELECT 1").status == 200
        assert send_as_ada(small, "/", b"SELECT '" + b"x" * 100_000 + b"'").status == 413
        chunks = iter([b"x" * 60_000] * 2)
        assert send_as_ada(small, "/", chunks, Transfer_Encoding="chunked").status == 413
        bomb = gzip.compress(b"x" * 50_000_000)
        assert len(bomb) < 100_000
        assert send_as_ada(small, "/", bomb, Content_Encoding="gzip").status == 413
    finally:
        child.terminate()
        assert child.wait(5) == 0
    assert not port_file.exists()


# Statements and types


def test_tables_of_every_kind_the_store_uses(client: Client) -> None:
    client.command(
        """CREATE TABLE kinds (
            id FixedString(16), at DateTime64(9, 'UTC'), cost Nullable(Decimal(18, 9)),
            words Array(String), attributes Map(LowCardinality(String), String),
            numbers Map(String, Float64), flag Bool, small Enum8('a' = 1, 'b' = 2),
            version UInt64
        ) ENGINE = ReplacingMergeTree(version)
        PARTITION BY toMonday(at) ORDER BY (id, at) TTL toDateTime(at) + INTERVAL 10 YEAR"""
    )
    client.command(
        """CREATE TABLE totals (id FixedString(16), n AggregateFunction(count),
            first SimpleAggregateFunction(min, DateTime64(9, 'UTC')))
        ENGINE = AggregatingMergeTree ORDER BY id"""
    )
    client.command(
        """CREATE MATERIALIZED VIEW totals_view TO totals AS
        SELECT id, countState() AS n, min(at) AS first FROM kinds GROUP BY id"""
    )
    at = datetime.datetime(2026, 3, 1, 12, 0, 0, 123456, UTC)
    one = [b"\x00" * 15 + b"\xff", at, Decimal("0.000001234"), ["a'b", ""], {"k": "ü\x00🙂"}]
    one += [{"x": 1.5}, True, "b"]
    two = [b"A" * 16, at, None, [], {}, {}, False, "a"]
    client.insert("kinds", [[*one, 1], [*two, 1], [*one, 2]])

    stored = client.query(
        "SELECT * EXCEPT version FROM kinds FINAL ORDER BY id",
        column_formats={"id": "bytes"},
        tz_mode="aware",
    ).result_rows
    assert [list(row) for row in stored] == [one, two]
    counted = client.query("SELECT id, countMerge(n) FROM totals GROUP BY id ORDER BY id")
    assert [row[1] for row in counted.result_rows] == [2, 1]
    for table in ("totals_view", "totals", "kinds"):
        client.command(f"DROP TABLE {table} SYNC")


def test_commands_give_values_and_nothing(client: Client) -> None:
    assert client.command("SELECT 1") == 1
    assert client.command("SELECT 1, 'a'") == ["1", "a"]
    assert client.query("SELECT 1 WHERE 0").result_rows == []
    assert client.raw_query("SELECT 'x' AS a FORMAT JSONEachRow") == b'{"a":"x"}\n'
    assert client.raw_query("SELECT 'x' AS a", fmt="CSVWithNames") == b'"a"\n"x"\n'


def test_wide_integers_and_big_results_come_whole(client: Client) -> None:
    result = client.query("SELECT number, toString(number) FROM numbers(300000)")
    assert result.row_count == 300_000
    assert result.result_rows[-1] == (299_999, "299999")


def test_second_statement_is_refused(client: Client) -> None:
    with pytest.raises(DatabaseError, match="62"):
        client.command("SELECT 1; DROP TABLE IF EXISTS spans")
    assert client.command("SELECT 'a;b' -- c;d\n;") == "a;b"


@pytest.mark.parametrize(
    ("sql", "code", "status"),
    [
        ("SELECT * FROM nowhere", 60, 404),
        ("SELEC 1", 62, 400),
        ("SELECT nothing", 47, 404),
        ("SELECT throwIf(1)", 395, 500),
        ("SELECT {missing:String}", 456, 400),
        ("INSERT INTO nowhere FORMAT Native\n", 60, 404),
    ],
)
def test_errors_keep_their_codes(engine: EngineProcess, sql: str, code: int, status: int) -> None:
    response = send_as_ada(engine, "/", sql.encode())
    assert response.headers["X-ClickHouse-Exception-Code"] == str(code)
    assert response.status == status
    assert response.read().startswith(f"Code: {code}. DB::Exception".encode())


def test_unknown_database_and_setting(engine: EngineProcess) -> None:
    unknown = send_as_ada(engine, "/?database=nowhere", b"SELECT 1")
    assert (unknown.status, unknown.headers["X-ClickHouse-Exception-Code"]) == (404, "81")
    unknown = send_as_ada(engine, "/?no_such_setting=1", b"SELECT 1")
    assert (unknown.status, unknown.headers["X-ClickHouse-Exception-Code"]) == (404, "115")
    strange = send_as_ada(engine, "/?max_threads%3D1,readonly=1", b"SELECT 1")
    assert strange.status == 400


# Parameters


@pytest.mark.parametrize(
    "value",
    [
        *("it's", 'say "x"', "a\\b\\n", "tab\tline\nreturn\r", "nul\x00x", "ü🙂", "\\N", ""),
        *("{a:b}", "x" * 300_000, "é'\\\n" * 60_000, "--\r\n--boundary--\r\n"),
    ],
    ids=lambda value: repr(value[:12]),
)
def test_text_parameters_arrive_as_they_are(
    connect: Callable[..., Client], client: Client, value: str
) -> None:
    parameters = {"value": value}
    sql = "SELECT {value:String} AS value, length({value:String}) AS bytes"
    if len(quote_plus(value)) < 1_000_000:
        assert client.query(sql, parameters).result_rows == [(value, len(value.encode()))]
    in_form = connect(form_encode_query_params=True)
    assert in_form.query(sql, parameters).result_rows == [(value, len(value.encode()))]


def test_parameters_of_other_types(client: Client) -> None:
    at = datetime.datetime(2026, 3, 1, 12, tzinfo=UTC)
    result = client.query(
        "SELECT {words:Array(String)}, {ids:Array(UInt64)}, {at:DateTime64(3, 'UTC')} = "
        "toDateTime64('2026-03-01 12:00:00', 3, 'UTC'), {n:UInt64}, {none:Nullable(String)}",
        {"words": ["it's", "b\\", 'q"', "ü"], "ids": [1, 2**63], "at": at, "n": 7, "none": None},
    )
    assert result.result_rows == [(["it's", "b\\", 'q"', "ü"], [1, 2**63], True, 7, None)]


def test_insert_takes_parameters(engine: EngineProcess, client: Client, spans: str) -> None:
    sql = b'INSERT INTO {table:Identifier} (id, name) FORMAT JSONEachRow\n{"id": 1, "name": "a"}'
    assert send_as_ada(engine, "/?param_table=spans", sql).status == 200
    assert client.query("SELECT id, name FROM spans").result_rows == [(1, "a")]


# Inserts


@pytest.mark.parametrize("compress", [False, "lz4", "zstd", "gzip"])
def test_every_row_of_an_insert_is_stored(
    connect: Callable[..., Client], spans: str, compress: bool | str
) -> None:
    writer = connect(compress=compress)
    summary = writer.insert(spans, ROWS_20K, column_names=COLUMNS)
    assert summary.written_rows == 20_000
    stored = writer.query("SELECT * FROM spans ORDER BY id").result_rows
    assert [list(row) for row in stored] == ROWS_20K


def test_insert_reports_rows_of_the_views_too(client: Client, spans: str) -> None:
    """As a ClickHouse server does: a writer that counts must know its table's views."""
    client.command(
        "CREATE MATERIALIZED VIEW names ENGINE = MergeTree ORDER BY n AS "
        "SELECT id % 10 AS n, count() AS c FROM spans GROUP BY n"
    )
    assert client.insert(spans, ROWS_20K[:100], column_names=COLUMNS).written_rows == 110
    client.command("DROP TABLE names SYNC")


def test_insert_that_fails_when_it_is_committed_is_an_error(client: Client, spans: str) -> None:
    """As on a full disk: the rows are read, and cannot be written."""
    client.command("CREATE TABLE weekly (n UInt64) ENGINE = MergeTree PARTITION BY n ORDER BY n")
    with pytest.raises(DatabaseError, match="Too many partitions"):
        client.insert("weekly", [[n] for n in range(200)], column_names=["n"])
    client.command("DROP TABLE weekly SYNC")
    client.command(
        "CREATE MATERIALIZED VIEW broken ENGINE = MergeTree ORDER BY n AS "
        "SELECT throwIf(id = 7, 'the view fails') AS n FROM spans"
    )
    assert client.insert(spans, ROWS_20K[:5], column_names=COLUMNS).written_rows == 10
    with pytest.raises(DatabaseError, match="the view fails"):
        client.insert(spans, ROWS_20K[5:9], column_names=COLUMNS)
    client.command("DROP TABLE broken SYNC")


@pytest.mark.parametrize(
    ("format_name", "data"),
    [
        ("JSONEachRow", b'{"id":1,"name":"a\\u0000"}\n{"id":2,"name":"FORMAT x"}\n'),
        ("TabSeparated", b"1\ta\\0\n2\tFORMAT x\n"),
        (
            "RowBinary",
            b"\x01\0\0\0\0\0\0\0\x02a\0" + b"\x02\0\0\0\0\0\0\0\x08FORMAT x",
        ),
        ("Values", b"(1, 'a\\0'), (2, 'FORMAT x')"),
    ],
)
@pytest.mark.parametrize("is_in_url", [True, False])
def test_inserts_in_other_formats(
    engine: EngineProcess,
    client: Client,
    spans: str,
    format_name: str,
    data: bytes,
    is_in_url: bool,
) -> None:
    sql = f"INSERT INTO spans (`id`, name) /* FORMAT y */ FORMAT {format_name}"
    if is_in_url:
        target, body = f"/?query={sql.replace(' ', '%20')}", data
    else:
        target, body = "/", sql.encode() + b"\n" + data
    response = send_as_ada(engine, target, body)
    assert response.status == 200, response.read()
    assert json.loads(response.headers["X-ClickHouse-Summary"])["written_rows"] == "2"
    rows = client.query("SELECT id, name FROM spans ORDER BY id").result_rows
    assert rows == [(1, "a\x00"), (2, "FORMAT x")]


def test_insert_from_select_and_values(client: Client, spans: str) -> None:
    client.command("INSERT INTO spans (id, name) VALUES (1, 'it''s')")
    client.command("INSERT INTO spans (id, name) SELECT number, 'x' FROM numbers(2, 3)")
    assert client.command("SELECT count() FROM spans") == 4


@pytest.mark.parametrize("cut_bytes", [1, 1000, 400_000])
def test_insert_that_ends_early_stores_nothing(
    engine: EngineProcess, client: Client, spans: str, cut_bytes: int
) -> None:
    client.insert(spans, ROWS_20K, column_names=COLUMNS)
    native = client.raw_query("SELECT * FROM spans SETTINGS max_block_size = 500", fmt="Native")
    client.command("TRUNCATE TABLE spans SYNC")
    response = send_as_ada(
        engine, "/?query=INSERT%20INTO%20spans%20FORMAT%20Native", native[:-cut_bytes]
    )
    assert response.status == 400
    assert client.command("SELECT count() FROM spans") == 0
    whole = send_as_ada(engine, "/?query=INSERT%20INTO%20spans%20FORMAT%20Native", native)
    assert json.loads(whole.headers["X-ClickHouse-Summary"])["written_rows"] == "20000"


def test_client_that_goes_away_inside_its_body_stores_nothing(
    engine: EngineProcess, client: Client, spans: str
) -> None:
    head = (
        "POST /?query=INSERT%20INTO%20spans%20(id)%20FORMAT%20TSV HTTP/1.1\r\nHost: x\r\n"
        f"X-ClickHouse-Key: {TOKEN}\r\n"
    )
    for framing in (
        "Content-Length: 100\r\n\r\n1\n2\n",
        "Transfer-Encoding: chunked\r\n\r\n2\r\n1\n\r\n",
    ):
        with socket.create_connection((engine.host, engine.port)) as raw:
            raw.sendall((head + framing).encode())
    time.sleep(0.3)
    assert client.command("SELECT count() FROM spans") == 0


def test_settings_in_an_insert(engine: EngineProcess, client: Client, spans: str) -> None:
    sql = (
        b"INSERT INTO spans (id) SETTINGS max_insert_block_size = 10, async_insert = 0 FORMAT TSV\n"
    )
    assert send_as_ada(engine, "/", sql + b"1\n2\n").status == 200
    assert client.command("SELECT count() FROM spans") == 2


# Isolation and running statements


def test_no_setting_or_database_leaks(connect: Callable[..., Client], client: Client) -> None:
    client.command("CREATE DATABASE globex")
    other = connect(database="globex", autogenerate_session_id=False)
    sql = "SELECT currentDatabase(), getSetting('max_threads'), getSetting('max_execution_time')"
    before = client.query(sql).result_rows
    changed = other.query(sql, settings={"max_threads": 1, "max_execution_time": 17}).result_rows
    assert changed == [("globex", 1, 17)]
    client.command("SET max_threads = 7")
    client.command("USE globex")
    assert client.query(sql).result_rows == before
    assert before[0][0] == "default"
    client.command("DROP DATABASE globex SYNC")


def test_long_query_ends_at_its_time_limit(client: Client) -> None:
    started = time.monotonic()
    with pytest.raises(DatabaseError, match="159"):
        client.query(
            "SELECT sleepEachRow(0.1) FROM numbers(100)",
            settings={"max_execution_time": 1, "max_block_size": 1},
        )
    assert time.monotonic() - started < 4


def test_query_is_killed_by_the_id_its_client_gave_it(
    connect: Callable[..., Client], client: Client
) -> None:
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        running = pool.submit(
            connect(autogenerate_session_id=False).query,
            "SELECT sleepEachRow(0.1) FROM numbers(200)",
            settings={"query_id": "ada-1", "max_block_size": 1, "max_execution_time": 30},
        )
        time.sleep(0.7)
        started = time.monotonic()
        client.command("KILL QUERY WHERE query_id = 'ada-1' ASYNC")
        with pytest.raises(DatabaseError, match="394"):
            running.result(10)
    assert time.monotonic() - started < 3


def test_client_that_leaves_during_a_query_holds_nobody_up(
    engine: EngineProcess, client: Client
) -> None:
    sql = b"SELECT sleepEachRow(0.1) FROM numbers(30) SETTINGS max_block_size = 1"
    for _ in range(4):
        with socket.create_connection((engine.host, engine.port)) as raw:
            head = f"POST / HTTP/1.1\r\nX-ClickHouse-Key: {TOKEN}\r\nContent-Length: {len(sql)}\r\n"
            raw.sendall(head.encode() + b"\r\n" + sql)
    started = time.monotonic()
    assert client.command("SELECT 1") == 1
    assert time.monotonic() - started < 1
    client.command("KILL QUERY WHERE query LIKE '%sleepEachRow%' ASYNC")


def test_memory_limit_ends_the_query_and_not_the_engine(tmp_path: Path) -> None:
    small = EngineProcess(tmp_path / "small", token=TOKEN, max_memory_bytes=600 * 1024**2)
    small.start()
    try:
        limited = clickhouse_connect.get_client(host=small.host, port=small.port, password=TOKEN)
        with pytest.raises(DatabaseError, match="241"):
            limited.query("SELECT groupArray(toString(number)) FROM numbers(50000000)")
        assert limited.command("SELECT 1") == 1
    finally:
        small.stop()


def test_many_writers_and_readers_at_once(connect: Callable[..., Client], spans: str) -> None:
    shared = connect(autogenerate_session_id=False)

    def write(batch: int) -> int:
        rows = [[batch * 500 + n, "x", {}, []] for n in range(500)]
        return int(shared.insert(spans, rows, column_names=COLUMNS).written_rows)

    def read(_: int) -> int:
        return int(shared.query("SELECT count() FROM spans").result_rows[0][0])

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        writes = [pool.submit(write, batch) for batch in range(24)]
        reads = [pool.submit(read, n) for n in range(48)]
        assert {task.result(30) for task in writes} == {500}
        assert all(0 <= task.result(30) <= 12_000 for task in reads)
    assert shared.query("SELECT count(), uniqExact(id) FROM spans FINAL").result_rows == [
        (12_000, 12_000)
    ]
