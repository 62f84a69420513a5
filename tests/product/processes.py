"""What the kernel says of a session's processes: which are alive, what they are, where they listen.

A product of a test is started in a session of its own, which all its processes stay in, also when
their parent is gone.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import signal
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

_LISTEN = "0A"


def of_session(session: int) -> list[int]:
    """Process ids, without those that have ended and only wait to be collected."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            _, _, rest = (entry / "stat").read_text().rpartition(") ")
            fields = rest.split()
            if int(fields[3]) == session and fields[0] not in {"Z", "X"}:
                found.append(int(entry.name))
    return sorted(found)


def role(pid: int) -> str:
    """engine, receiver, web or up; the whole command for anything else."""
    words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
    if "traces.store.engine" in words:
        return "engine"
    commands = [words[i + 1] for i, word in enumerate(words[:-1]) if word.endswith("manage.py")]
    return commands[0] if commands else " ".join(words)


def catches(pid: int, number: signal.Signals) -> bool:
    """Whether the process has a handler for the signal."""
    status = Path(f"/proc/{pid}/status").read_text()
    mask = int(status.partition("SigCgt:")[2].split()[0], 16)
    return bool(mask >> (number - 1) & 1)


def kill_all(session: int) -> None:
    """`kill -9` of every process, the parent first so that it restarts nothing."""
    for pid in of_session(session):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def pss_bytes(pid: int) -> int:
    """Memory with what is shared counted in parts, so that a sum over processes is right."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise AssertionError(f"no Pss of process {pid}")


def peak_bytes(pid: int) -> int:
    """The most memory that was resident at once, since the start or since the mark was set back."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def listening_addresses(pid: int) -> Iterator[str]:
    inodes = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            target = os.readlink(descriptor)
            if target.startswith("socket:["):
                inodes.add(target[8:-1])
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == _LISTEN and fields[9] in inodes:
                yield _address(fields[1].partition(":")[0])


def _address(words: str) -> str:
    """The kernel writes 32-bit words in the machine's byte order."""
    order = "<" if sys.byteorder == "little" else ">"
    numbers = [int(words[i : i + 8], 16) for i in range(0, len(words), 8)]
    raw = b"".join(struct.pack(f"{order}I", number) for number in numbers)
    address = ipaddress.ip_address(raw)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)  # one socket for both kinds of addresses is one place


def is_over(process: subprocess.Popen[bytes]) -> bool:
    return process.poll() is not None
