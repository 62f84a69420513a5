"""The engine's life: start, crash, stop, and who may have its directory."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import clickhouse_connect
import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from traces.store.engine.process import EngineNotRunning, EngineProcess, EngineStartFailed

TOKEN = "ada-engine-token-0123456789abcdef"
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[EngineProcess]:
    process = EngineProcess(tmp_path / "engine", token=TOKEN)
    process.start()
    yield process
    process.stop()


def connect(engine: EngineProcess) -> Client:
    return clickhouse_connect.get_client(
        host=engine.host, port=engine.port, password=TOKEN, autogenerate_session_id=False
    )


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until_gone(pid: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not is_alive(pid)


def start_by_hand(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    given = {name: value for name, value in os.environ.items() if "TOKEN" not in name}
    return subprocess.run(
        [sys.executable, "-m", "traces.store.engine", *arguments],
        check=False,
        cwd=ROOT,
        env={**given, **environment},
        capture_output=True,
        text=True,
        timeout=20,
    )


def test_restart_keeps_port_and_rows(engine: EngineProcess) -> None:
    connect(engine).command("CREATE TABLE t (id UInt64) ENGINE = MergeTree ORDER BY id")
    connect(engine).insert("t", [[1], [2]])
    url, first_pid = engine.url, engine.pid
    engine.stop()
    assert (engine.exit_code, is_alive(first_pid)) == (0, False)
    assert not (engine.path / "engine.port").exists()
    engine.start()
    assert engine.url == url
    assert engine.pid != first_pid
    assert connect(engine).command("SELECT count() FROM t") == 2


def test_kill_loses_no_acknowledged_insert(engine: EngineProcess) -> None:
    connect(engine).command("CREATE TABLE t (id UInt64, s String) ENGINE = MergeTree ORDER BY id")
    acknowledged: list[int] = []
    is_killed = threading.Event()

    def write() -> None:
        client = connect(engine)
        for batch in range(10_000):
            rows = [[batch * 100 + n, "x" * 200] for n in range(100)]
            try:
                written = client.insert("t", rows, column_names=["id", "s"]).written_rows
            except ClickHouseError:
                assert is_killed.is_set()
                return
            acknowledged.append(written)

    writer = threading.Thread(target=write)
    writer.start()
    while len(acknowledged) < 30:
        time.sleep(0.005)
    is_killed.set()
    engine.kill()
    assert engine.exit_code == -signal.SIGKILL
    writer.join(20)
    assert not writer.is_alive()

    engine.start()
    stored = int(str(connect(engine).command("SELECT count() FROM t")))
    # One batch more at most: stored, but killed before the answer was out.
    assert stored - sum(acknowledged) in (0, 100)


def test_stop_during_a_long_query_is_quick(engine: EngineProcess) -> None:
    ended: list[str] = []

    def query(sql: str) -> None:
        try:
            connect(engine).query(sql, settings={"max_block_size": 1})
        except ClickHouseError as error:
            ended.append(str(error))

    slow = "SELECT sleepEachRow(0.05) FROM numbers(1000)"
    busy = "SELECT max(cityHash64(number, x)) FROM numbers(100000000000) ARRAY JOIN [1, 2] AS x"
    runners = [threading.Thread(target=query, args=(sql,)) for sql in (slow, busy)]
    for runner in runners:
        runner.start()
    time.sleep(1)
    started = time.monotonic()
    engine.stop()
    assert time.monotonic() - started < 2
    assert engine.exit_code == 0
    for runner in runners:
        runner.join(5)
    assert len(ended) == 2
    assert all("394" in error for error in ended), ended


def test_ctrl_c_stops_it_too(engine: EngineProcess) -> None:
    os.kill(engine.pid, signal.SIGINT)
    deadline = time.monotonic() + 2
    while engine.is_running and time.monotonic() < deadline:
        time.sleep(0.02)
    assert engine.exit_code == 0


def test_stopping_with_open_connections_is_quick(engine: EngineProcess) -> None:
    idle = [socket.create_connection((engine.host, engine.port)) for _ in range(5)]
    clients = [connect(engine) for _ in range(3)]
    started = time.monotonic()
    engine.stop()
    assert time.monotonic() - started < 1.5
    assert engine.exit_code == 0
    for connection in idle:
        connection.close()
    for client in clients:
        client.close()


def test_second_engine_on_a_directory_says_so(engine: EngineProcess) -> None:
    second = EngineProcess(engine.path, token=TOKEN, log_path=engine.path / "second.log")
    with pytest.raises(EngineStartFailed, match=r"exit code 3") as raised:
        second.start()
    assert f"Another engine (process {engine.pid}) is using {engine.path}" in str(raised.value)
    assert connect(engine).command("SELECT 1") == 1
    assert (engine.path / "engine.port").exists()
    engine.stop()
    second.start()
    second.stop()


def test_engine_ends_when_its_supervisor_is_killed(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path\n"
        "from traces.store.engine.process import EngineProcess\n"
        f"engine = EngineProcess(Path({str(tmp_path / 'engine')!r}), token={TOKEN!r})\n"
        "engine.start(); print(engine.pid, flush=True); time.sleep(60)"
    )
    supervisor = subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert supervisor.stdout is not None
    pid = int(supervisor.stdout.readline())
    assert is_alive(pid)
    supervisor.kill()
    supervisor.wait()
    assert wait_until_gone(pid, 3)
    supervisor.stdout.close()


def test_engine_outlives_the_thread_that_started_it(tmp_path: Path) -> None:
    engine = EngineProcess(tmp_path / "engine", token=TOKEN)
    starter = threading.Thread(target=engine.start)
    starter.start()
    starter.join()
    time.sleep(0.5)
    assert connect(engine).command("SELECT 1") == 1
    engine.stop()


def test_taken_port_is_said(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        engine = EngineProcess(tmp_path / "engine", port=port, token=TOKEN)
        with pytest.raises(EngineStartFailed, match=rf"cannot listen on 127.0.0.1:{port}"):
            engine.start()
    assert not engine.is_running


def test_engine_that_was_never_started_has_no_address(tmp_path: Path) -> None:
    engine = EngineProcess(tmp_path / "engine", token=TOKEN)
    with pytest.raises(EngineNotRunning):
        _ = engine.url
    with pytest.raises(EngineNotRunning):
        _ = engine.pid
    engine.stop()
    engine.kill()


def test_only_loopback_is_listened_on(engine: EngineProcess) -> None:
    listening = Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text()
    wanted = f":{engine.port:04X} "
    addresses = {
        fields[1].partition(":")[0]
        for fields in (line.split() for line in listening.splitlines()[1:])
        if wanted in f"{fields[1]} " and fields[3] == "0A"
    }
    assert addresses == {"0100007F"}


def test_token_is_neither_in_the_command_line_nor_in_the_log(engine: EngineProcess) -> None:
    assert TOKEN.encode() not in Path(f"/proc/{engine.pid}/cmdline").read_bytes()
    assert TOKEN not in engine.log_tail()


@pytest.mark.parametrize("token", ["", "short"])
def test_engine_wants_a_real_token(tmp_path: Path, token: str) -> None:
    found = start_by_hand("--path", str(tmp_path), TRACEROOT_ENGINE_TOKEN=token)
    assert found.returncode == 2
    assert "needs a token of at least 16 characters" in found.stderr


def test_token_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    token_file = tmp_path / "token"
    token_file.write_text(TOKEN)
    token_file.chmod(0o644)
    found = start_by_hand("--path", str(tmp_path), "--token-file", str(token_file))
    assert (found.returncode, "chmod 600" in found.stderr) == (2, True)
    missing = start_by_hand("--path", str(tmp_path), "--token-file", str(tmp_path / "none"))
    assert (missing.returncode, "cannot be read" in missing.stderr) == (2, True)


def test_directory_the_engine_cannot_use_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    found = start_by_hand("--path", str(tmp_path / "file"), TRACEROOT_ENGINE_TOKEN=TOKEN)
    assert (found.returncode, "cannot write to" in found.stderr) == (5, True)
    found = start_by_hand("--path", str(tmp_path / "a?b"), TRACEROOT_ENGINE_TOKEN=TOKEN)
    assert (found.returncode, "Choose another directory" in found.stderr) == (5, True)


def test_path_with_spaces_and_signs_works(tmp_path: Path) -> None:
    engine = EngineProcess(tmp_path / "é x&y=1%20#", token=TOKEN)
    engine.start()
    connect(engine).command("CREATE TABLE t (id UInt64) ENGINE = MergeTree ORDER BY id")
    assert connect(engine).insert("t", [[1]]).written_rows == 1
    engine.stop()
    assert [entry.name for entry in tmp_path.iterdir()] == ["é x&y=1%20#"]


def test_files_of_a_killed_query_are_removed_at_the_next_start(engine: EngineProcess) -> None:
    engine.kill()
    spilled = engine.path / "store" / "tmp"
    spilled.mkdir(exist_ok=True)
    (spilled / "spill.bin").write_bytes(b"x" * 100)
    (spilled / "folder").mkdir()
    engine.start()
    assert not (spilled / "spill.bin").exists()
    assert not (spilled / "folder").exists()


def test_inserts_leave_no_files_behind(engine: EngineProcess) -> None:
    client = connect(engine)
    client.command("CREATE TABLE t (id UInt64) ENGINE = MergeTree ORDER BY id")
    for _ in range(5):
        client.insert("t", [[n] for n in range(1000)])
        with pytest.raises(ClickHouseError):
            client.raw_insert("t", ["id"], b"1\nnot a number\n", fmt="TSV")
    open_files = os.listdir(f"/proc/{engine.pid}/fd")
    spilled = engine.path / "store" / "tmp"
    assert not spilled.exists() or list(spilled.iterdir()) == []
    for _ in range(30):
        client.insert("t", [[1]])
    assert len(os.listdir(f"/proc/{engine.pid}/fd")) < len(open_files) + 20


def test_engine_is_light(engine: EngineProcess) -> None:
    connect(engine).command("SELECT 1")
    mapped = Path(f"/proc/{engine.pid}/maps").read_text()
    assert not any(name in mapped for name in ("pandas", "pyarrow", "numpy"))
    status = Path(f"/proc/{engine.pid}/status").read_text()
    resident_kb = int(status.partition("VmRSS:")[2].split()[0])
    assert resident_kb < 350 * 1024

    def cpu_ticks() -> int:
        fields = Path(f"/proc/{engine.pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    time.sleep(1)
    before = cpu_ticks()
    time.sleep(2)
    assert (cpu_ticks() - before) / os.sysconf("SC_CLK_TCK") / 2 < 0.05


def test_engine_never_imports_django() -> None:
    script = (
        "import sys; import traces.store.engine.__main__, traces.store.engine.process\n"
        "print(sorted(name for name in sys.modules if name.split('.')[0] in "
        "('django', 'clickhouse_connect', 'numpy', 'pandas')))"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"
