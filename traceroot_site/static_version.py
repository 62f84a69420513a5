"""The version of our static files, as a part of their addresses.

Files whose address changes with their content may be kept by browsers for good. The version covers
the whole directory, so that modules and style sheets that name each other by relative addresses
always come from the same build.
"""

from __future__ import annotations

import hashlib
from pathlib import Path


def version(directory: Path, release: str) -> str:
    """Ten hex digits of every file below `directory` and of `release`, which stands for files of
    libraries (the admin's).
    """
    digest = hashlib.blake2b(release.encode(), digest_size=5)
    for path in sorted(path for path in directory.rglob("*") if path.is_file()):
        content = path.read_bytes()
        digest.update(f"\0{path.relative_to(directory).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()
