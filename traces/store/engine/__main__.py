"""Start, serve and stop: the engine's command.

Exit codes: 0 after a stop that was asked for, 2 for wrong arguments, 3 when another engine has the
directory, 4 when the address is taken, 5 when the directory or the engine in it cannot be opened.
"""

import argparse
import contextlib
import faulthandler
import logging
import os
import signal
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from traces.store.engine import directory, parent
from traces.store.engine.database import CannotOpen, Database
from traces.store.engine.server import EngineServer

logger = logging.getLogger("traces.store.engine")

TOKEN_VARIABLE = "TRACEROOT_ENGINE_TOKEN"
EXIT_ARGUMENTS, EXIT_IN_USE, EXIT_ADDRESS, EXIT_CANNOT_OPEN = 2, 3, 4, 5
_DRAIN_SECONDS = 1.2
_STOP_SECONDS = 1.7
_MIN_TOKEN_LENGTH = 16


class _StartFailed(Exception):
    def __init__(self, exit_code: int, message: str) -> None:
        super().__init__(message)
        self.exit_code = exit_code


@dataclass(frozen=True, slots=True)
class Options:
    """The command line, checked."""

    path: Path
    host: str
    port: int
    token: str
    port_file: Path | None
    parent_pid: int | None
    max_memory_bytes: int
    max_body_bytes: int


def main(arguments: list[str]) -> int:
    """Run the engine until it is told to stop. Returns the exit code."""
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s"
    )
    stop = threading.Event()
    try:
        options = _read_options(arguments)
        # Before anything slow, so that a signal during the start is not lost or deadly.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        if options.parent_pid is not None:
            parent.watch(options.parent_pid, stop.set)
        server = _open(options)
    except _StartFailed as failure:
        print(failure, file=sys.stderr, flush=True)
        return failure.exit_code
    _serve(server, options, stop)
    return 0


def _open(options: Options) -> EngineServer:
    try:
        lock = directory.claim(options.path)
        directory.clear_leftovers(options.path)
        if options.port_file is not None:
            options.port_file.unlink(missing_ok=True)
    except directory.DirectoryInUse as error:
        raise _StartFailed(EXIT_IN_USE, str(error)) from error
    except (directory.DirectoryUnusable, OSError) as error:
        raise _StartFailed(EXIT_CANNOT_OPEN, str(error)) from error
    try:
        server = EngineServer(options.host, options.port, options.token, options.max_body_bytes)
    except (OSError, OverflowError) as error:
        raise _StartFailed(
            EXIT_ADDRESS,
            f"The engine cannot listen on {options.host}:{options.port}: {error}. Choose another "
            "port, or 0 for a free one.",
        ) from error
    server.directory_lock = lock
    try:
        server.database = Database(options.path / directory.STORE_NAME, options.max_memory_bytes)
    except CannotOpen as error:
        raise _StartFailed(EXIT_CANNOT_OPEN, str(error)) from error
    # chDB put handlers of its own in place, which were taken out again; a crash shows its stack.
    faulthandler.enable()
    return server


def _serve(server: EngineServer, options: Options, stop: threading.Event) -> None:
    threading.Thread(target=server.serve, name="accept", daemon=True).start()
    if options.port_file is not None:
        directory.write_atomically(options.port_file, f"{server.server_port} {os.getpid()}\n")
    logger.info(
        "engine.ready host=%s port=%d pid=%d", options.host, server.server_port, os.getpid()
    )
    stop.wait()
    logger.info("engine.stopping")
    _exit_at_the_latest()
    if options.port_file is not None:
        options.port_file.unlink(missing_ok=True)
    server.close_listener()
    is_idle = server.drain(_DRAIN_SECONDS)
    if is_idle:
        server.database.close()
    logger.info("engine.stopped idle=%s", is_idle)


def _exit_at_the_latest() -> None:
    # What is acknowledged is on disk already: a stop that hangs costs nothing but time.
    deadline = threading.Timer(_STOP_SECONDS, os._exit, args=(0,))
    deadline.daemon = True
    deadline.start()


def _read_options(arguments: list[str]) -> Options:
    parser = argparse.ArgumentParser(prog="python -m traces.store.engine", description=__doc__)
    parser.add_argument("--path", type=Path, required=True, help="the engine's directory")
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (default loopback)"
    )
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one (default)")
    parser.add_argument(
        "--token-file",
        type=Path,
        help=f"file with the token, mode 0600; without it the environment's {TOKEN_VARIABLE}",
    )
    parser.add_argument(
        "--port-file", type=Path, help="gets the port and the process id when the engine answers"
    )
    parser.add_argument("--parent-pid", type=int, help="stop when this process has ended")
    parser.add_argument("--max-memory-bytes", type=int, default=2 * 1024**3)
    parser.add_argument("--max-body-bytes", type=int, default=512 * 1024**2)
    found = parser.parse_args(arguments)
    return Options(
        path=found.path.absolute(),
        host=found.host,
        port=found.port,
        token=_read_token(found.token_file),
        port_file=None if found.port_file is None else found.port_file.absolute(),
        parent_pid=found.parent_pid,
        max_memory_bytes=found.max_memory_bytes,
        max_body_bytes=found.max_body_bytes,
    )


def _read_token(path: Path | None) -> str:
    # Not handed on to anything the engine might start.
    token = os.environ.pop(TOKEN_VARIABLE, "")
    if path is not None:
        try:
            if path.stat().st_mode & 0o077:
                raise _StartFailed(
                    EXIT_ARGUMENTS,
                    f"The token file {path} can be read by others. Run: chmod 600 {path}",
                )
            token = path.read_text()
        except OSError as error:
            raise _StartFailed(
                EXIT_ARGUMENTS, f"The token file {path} cannot be read: {error.strerror}."
            ) from error
    token = token.strip()
    if len(token) < _MIN_TOKEN_LENGTH:
        raise _StartFailed(
            EXIT_ARGUMENTS,
            f"The engine needs a token of at least {_MIN_TOKEN_LENGTH} characters, from "
            f"--token-file or {TOKEN_VARIABLE}.",
        )
    return token


if __name__ == "__main__":
    code = main(sys.argv[1:])
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    # Without the interpreter's own end: it would tear chDB's threads down under running queries.
    os._exit(code)
