"""The engine as a child process: start it, wait until it answers, stop it.

For the supervisor and for tests. It knows the command line of the engine and nothing of ClickHouse.
"""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import BinaryIO

_PROJECT_ROOT = Path(__file__).resolve().parents[3]
_POLL_SECONDS = 0.01
_LOG_TAIL_BYTES = 4000
_MAX_LOG_BYTES = 5 * 1024 * 1024


class EngineStartFailed(Exception):
    """The engine ended or did not answer in time. The text holds the end of its log."""


class EngineNotRunning(Exception):
    """Something was asked of an engine that has not been started."""


class EngineProcess:
    """One engine on one directory.

    ``port`` 0 takes a free port at the first start and keeps it for later starts. The log goes to
    ``log_path`` or to ``engine.log`` in the engine's directory. The engine is in a process group of
    its own, so that Ctrl-C in a terminal reaches only the supervisor, which then decides on the
    order of stopping; it ends by itself when the process that started it is gone, however it went.
    """

    def __init__(
        self,
        path: Path,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        token: str,
        log_path: Path | None = None,
        max_memory_bytes: int | None = None,
        start_timeout_seconds: float = 30,
    ) -> None:
        self.path = path.absolute()
        self.host = host
        self.token = token
        self.log_path = self.path / "engine.log" if log_path is None else log_path.absolute()
        self._port = port
        self._max_memory_bytes = max_memory_bytes
        self._start_timeout_seconds = start_timeout_seconds
        self._port_file = self.path / "engine.port"
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def port(self) -> int:
        """The port; 0 before the first start when none was chosen."""
        return self._port

    @property
    def url(self) -> str:
        """Base address. Raises EngineNotRunning before the first start."""
        if self._port == 0:
            raise EngineNotRunning("The engine has not been started; it has no port yet.")
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self._port}"

    @property
    def pid(self) -> int:
        """Process id. Raises EngineNotRunning before the first start."""
        if self._child is None:
            raise EngineNotRunning("The engine has not been started.")
        return self._child.pid

    @property
    def is_running(self) -> bool:
        """Whether the process is alive."""
        return self._child is not None and self._child.poll() is None

    @property
    def exit_code(self) -> int | None:
        """How the last process ended; None while it runs or before the first start."""
        return None if self._child is None else self._child.poll()

    def start(self) -> None:
        """Start the engine and return once it answers queries.

        Raises EngineStartFailed, with nothing left running.
        """
        if self.is_running:
            return
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            child = self._spawn()
        except OSError as error:
            raise EngineStartFailed(f"The engine in {self.path} cannot start: {error}") from error
        self._child = child
        self._port = self._wait_until_ready(child)

    def stop(self, timeout_seconds: float = 3) -> None:
        """Ask the engine to stop and wait; killed when it takes longer. Safe at any time."""
        if self._child is None:
            return
        self._child.terminate()
        try:
            self._child.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End the engine at once. Acknowledged inserts stay."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()

    def log_tail(self) -> str:
        """Return the end of the engine's log, empty when there is none."""
        try:
            with open(self.log_path, "rb") as log:
                log.seek(max(0, log.seek(0, os.SEEK_END) - _LOG_TAIL_BYTES))
                return log.read().decode(errors="replace").strip()
        except FileNotFoundError:
            return ""

    def _spawn(self) -> subprocess.Popen[bytes]:
        # fmt: off
        command = [
            sys.executable, "-m", "traces.store.engine",
            "--path", str(self.path),
            "--host", self.host,
            "--port", str(self._port),
            "--port-file", str(self._port_file),
            "--parent-pid", str(os.getpid()),
        ]
        # fmt: on
        if self._max_memory_bytes is not None:
            command += ["--max-memory-bytes", str(self._max_memory_bytes)]
        with self._open_log() as log:
            return subprocess.Popen(
                command,
                cwd=_PROJECT_ROOT,
                env={**os.environ, "TRACEROOT_ENGINE_TOKEN": self.token, "TZ": "UTC"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=0,
            )

    def _open_log(self) -> BinaryIO:
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        is_large = self.log_path.exists() and self.log_path.stat().st_size > _MAX_LOG_BYTES
        return open(self.log_path, "wb" if is_large else "ab")

    def _wait_until_ready(self, child: subprocess.Popen[bytes]) -> int:
        deadline = time.monotonic() + self._start_timeout_seconds
        while time.monotonic() < deadline:
            port, _, pid = self._read_port_file().partition(" ")
            # One that an earlier engine left behind, or that another engine here owns, is not it.
            if pid == str(child.pid):
                return int(port)
            if child.poll() is not None:
                raise EngineStartFailed(
                    f"The engine in {self.path} ended at its start with exit code "
                    f"{child.returncode}. {self._said()}"
                )
            time.sleep(_POLL_SECONDS)
        self.kill()
        raise EngineStartFailed(
            f"The engine in {self.path} did not answer within {self._start_timeout_seconds:g} s "
            f"and was stopped. {self._said()}"
        )

    def _read_port_file(self) -> str:
        try:
            return self._port_file.read_text().strip()
        except FileNotFoundError:
            return ""

    def _said(self) -> str:
        tail = self.log_tail()
        return f"The end of its log {self.log_path}:\n{tail}" if tail else "Its log is empty."
