"""Runs git on repositories that nobody vouches for.

Every call starts from an empty environment, ignores all configuration but ours, runs no hooks,
speaks only the protocols its caller names, and is bounded in time and output. Names that come
from traces (refs, paths) are checked here before they reach a command line. Reading files is in
`git_objects`, history (blame, log) in `history`, fetching in `mirror_updates`.
"""

from __future__ import annotations

import os
import re
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from debugging import private_file
from debugging.private_file import PrivateFile

READ_TIMEOUT_SECONDS = 20.0
OUTPUT_LIMIT_BYTES = 16 * 1024 * 1024
TICK_SECONDS = 0.25
FULL_SHA = re.compile(r"\A[0-9a-f]{40}(?:[0-9a-f]{24})?\Z")
_REF_FORBIDDEN = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(?:/|\Z)")

# Settings of ours that no repository can override: they travel in the environment, which wins.
_SETTINGS: tuple[tuple[str, str], ...] = (
    ("core.hooksPath", "/dev/null"),
    ("core.fsmonitor", "false"),
    ("core.symlinks", "false"),
    ("core.attributesFile", "/dev/null"),
    ("core.quotePath", "false"),
    ("core.pager", "cat"),
    ("core.askPass", "/bin/false"),
    ("color.ui", "false"),
    ("credential.helper", ""),
    ("fetch.recurseSubmodules", "false"),
    ("submodule.recurse", "false"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("http.followRedirects", "false"),
    ("log.showSignature", "false"),
    ("protocol.allow", "never"),
)


class GitError(Exception):
    """Git could not do what was asked; the message is a sentence for people."""


class GitMissing(GitError):
    """No git program on this machine."""


class UnsafeName(GitError):
    """A ref, path or address that must not reach a git command line."""


class UnknownRevision(GitError):
    """The repository has no such commit, branch or tag."""


class UnknownFile(GitError):
    """The commit has no such file."""


class GitTimeout(GitError):
    """Git was stopped because it took too long."""


class OutputTooLarge(GitError):
    """Git was stopped because it wrote more than the caller allows."""


class CommandFailed(GitError):
    """Git ended with an error; `stderr` holds what it said."""

    def __init__(self, message: str, stderr: str = "") -> None:
        super().__init__(message)
        self.stderr = stderr


@dataclass(frozen=True, slots=True)
class Network:
    """What one network call may use. `protocols` are git's names: https, http, file.

    `configuration` is the text of a configuration file that git reads from memory: for what must
    not stand in an environment, or is not taken from there. `secrets` never show in an error.
    """

    protocols: tuple[str, ...]
    settings: tuple[tuple[str, str], ...] = ()
    configuration: str = field(default="", repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)


def run(
    arguments: Sequence[str],
    *,
    directory: Path,
    network: Network | None = None,
    timeout_seconds: float = READ_TIMEOUT_SECONDS,
    output_limit_bytes: int = OUTPUT_LIMIT_BYTES,
    accepted_codes: tuple[int, ...] = (0,),
    watch: Callable[[], None] | None = None,
) -> bytes:
    """Runs one git command on the bare repository `directory` and returns its output.

    `watch` is called a few times a second while git runs; what it raises stops git and rises.
    """
    network = network or Network(protocols=())
    command = ["git", f"--git-dir={directory}", "--no-pager", "--literal-pathspecs", *arguments]
    with _configuration(network) as file:
        process = _start(command, environment(directory, network, file), file.descriptors)
        try:
            out, err = _collect(process, command, timeout_seconds, output_limit_bytes, watch)
        except BaseException:
            _kill(process)
            raise
    if process.returncode not in accepted_codes:
        raise _failure(arguments[0], err, network.secrets)
    return out


def environment(directory: Path, network: Network, file: PrivateFile) -> dict[str, str]:
    """The whole environment of a git call: nothing is inherited but PATH."""
    settings = [*_SETTINGS, ("safe.directory", str(directory)), *network.settings]
    variables = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": "/nonexistent",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": file.path,
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "/bin/false",
        "GIT_SSH_COMMAND": "/bin/false",
        "GIT_ALLOW_PROTOCOL": ":".join(network.protocols) or "none",
        "GIT_PROTOCOL_FROM_USER": "0",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_CONFIG_COUNT": str(len(settings)),
    }
    for number, (key, value) in enumerate(settings):
        variables[f"GIT_CONFIG_KEY_{number}"] = key
        variables[f"GIT_CONFIG_VALUE_{number}"] = value
    return variables


def check_ref(ref: str) -> str:
    """`ref` when it can only be a name of a commit, branch or tag; raises `UnsafeName` otherwise.

    The rules are those of git-check-ref-format, so revision expressions (`a..b`, `HEAD~3`) fail.
    """
    if not ref or len(ref) > 250 or ref.startswith(("-", "/", ".")) or ref.endswith(("/", ".")):
        raise UnsafeName(f"{_shown(ref)} is not a valid name of a commit, branch or tag.")
    if _REF_FORBIDDEN.search(ref):
        raise UnsafeName(f"{_shown(ref)} is not a valid name of a commit, branch or tag.")
    return ref


def check_path(path: str) -> str:
    """`path` when it names a file inside a repository; raises `UnsafeName` otherwise."""
    parts = path.split("/")
    if not path or len(path) > 4096 or path.startswith(("-", "/")) or "\0" in path:
        raise UnsafeName(f"{_shown(path)} is not a path inside a repository.")
    if any(part in ("", ".", "..") for part in parts) or parts[0].lower() == ".git":
        raise UnsafeName(f"{_shown(path)} is not a path inside a repository.")
    return path


def resolve(directory: Path, ref: str) -> str:
    """The full id of the commit that `ref` names; raises `UnknownRevision` when there is none."""
    check_ref(ref)
    arguments = ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}"]
    out = run(arguments, directory=directory, accepted_codes=(0, 1, 128))
    sha = out.decode("ascii", "replace").strip()
    if not FULL_SHA.match(sha):
        raise UnknownRevision(f"The repository has no commit, branch or tag {_shown(ref)}.")
    return sha


def _configuration(network: Network) -> AbstractContextManager[PrivateFile]:
    if network.configuration:
        return private_file.lend(network.configuration)
    return nullcontext(PrivateFile("/dev/null"))


def _start(
    command: list[str], variables: Mapping[str, str], descriptors: tuple[int, ...]
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            command,
            env=dict(variables),
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            pass_fds=descriptors,
        )
    except FileNotFoundError as error:
        raise GitMissing(
            "The program git was not found. Install git (on Debian: apt install git)."
        ) from error
    except ValueError as error:
        raise UnsafeName("A name with a null character cannot be given to git.") from error


def _collect(
    process: subprocess.Popen[bytes],
    command: list[str],
    timeout_seconds: float,
    output_limit_bytes: int,
    watch: Callable[[], None] | None,
) -> tuple[bytes, bytes]:
    assert process.stdout is not None
    assert process.stderr is not None
    out, err = bytearray(), bytearray()
    deadline = time.monotonic() + timeout_seconds
    with selectors.DefaultSelector() as selector, process.stdout, process.stderr:
        selector.register(process.stdout, selectors.EVENT_READ, out)
        selector.register(process.stderr, selectors.EVENT_READ, err)
        while selector.get_map():
            if time.monotonic() > deadline:
                raise GitTimeout(f"git {command[4]} took longer than {timeout_seconds:g} seconds.")
            for key, _ in selector.select(TICK_SECONDS):
                stream: IO[bytes] = key.fileobj  # type: ignore[assignment]
                chunk = os.read(stream.fileno(), 65536)
                if not chunk:
                    selector.unregister(stream)
                key.data.extend(chunk)
            if len(out) > output_limit_bytes:
                raise OutputTooLarge(
                    f"git {command[4]} wrote more than {output_limit_bytes} bytes."
                )
            del err[: max(0, len(err) - 16384)]
            if watch is not None:
                watch()
        process.wait(max(0.1, deadline - time.monotonic()))
    return bytes(out), bytes(err)


def _kill(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _failure(name: str, err: bytes, secrets: tuple[str, ...]) -> GitError:
    said = err.decode("utf-8", "replace").strip()
    for secret in secrets:  # a server may send back what it was sent
        said = said.replace(secret, "…")
    last = said.splitlines()[-1][:300] if said else "no message"
    missing_file = re.search(r"path '.*' (does not exist|exists on disk)|no such path", said)
    if missing_file:
        return UnknownFile(f"The commit has no such file ({last}).")
    if re.search(r"unknown revision|[Nn]ot a valid object|bad (object|revision)|not a tree", said):
        return UnknownRevision(f"The repository has no such commit ({last}).")
    return CommandFailed(f"git {name} failed: {last}", said)


def _shown(name: str) -> str:
    return repr(name if len(name) <= 80 else f"{name[:77]}...")
