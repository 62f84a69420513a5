"""Child processes of the supervisor: started, restarted with back-off, stopped in time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_MANAGE = Path(__file__).resolve().parents[2] / "manage.py"
_MAX_LOG_BYTES = 10 * 1024**2
_BACK_OFF_SECONDS = (0.2, 0.5, 1, 2, 5, 10, 30)
_STABLE_SECONDS = 60


@dataclass(slots=True)
class Child:
    """One process of ours: `manage.py` with `arguments`, in a process group of its own.

    Log lines go to `log_path`; what it prints (mails, without a mail server) stays on the terminal.
    """

    name: str
    arguments: Sequence[str]
    log_path: Path
    environment: Mapping[str, str]
    descriptors: Sequence[int] = ()
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    _started: float = 0.0
    _failures: int = 0
    _next_start: float = 0.0

    def start(self) -> None:
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        is_large = self.log_path.exists() and self.log_path.stat().st_size > _MAX_LOG_BYTES
        with open(self.log_path, "wb" if is_large else "ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, str(_MANAGE), *self.arguments, "--parent-pid", str(os.getpid())],
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stderr=log,
                pass_fds=tuple(self.descriptors),
                process_group=0,
            )
        self._started = time.monotonic()

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        return self._process.pid if self._process else 0

    @property
    def exit_code(self) -> int | None:
        return self._process.poll() if self._process else None

    def restart_if_ended(self) -> bool:
        """Start again once the back-off has passed; True when it did."""
        if self.is_running:
            return False
        now = time.monotonic()
        if self._next_start <= self._started:  # its end is news
            if now - self._started > _STABLE_SECONDS:
                self._failures = 0
            pause = _BACK_OFF_SECONDS[min(self._failures, len(_BACK_OFF_SECONDS) - 1)]
            self._failures += 1
            self._next_start = now + pause
        if now < self._next_start:
            return False
        self.start()
        return True

    def terminate(self) -> None:
        if self._process is not None and self.is_running:
            self._process.send_signal(signal.SIGTERM)

    def wait_or_kill(self, deadline: float) -> None:
        """Wait until `deadline` (monotonic clock), then kill."""
        if self._process is None:
            return
        try:
            self._process.wait(max(0.05, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def log_tail(self) -> str:
        try:
            return self.log_path.read_bytes()[-3000:].decode(errors="replace").strip()
        except OSError:
            return ""
