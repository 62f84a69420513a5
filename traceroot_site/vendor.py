"""Refreshes and verifies the browser libraries under static/vendor.

`python -m traceroot_site.vendor` fetches the versions that vendor.json names from npm and
writes their files with new hashes; `--check` only compares the files with their hashes and needs
neither npm nor a network. Not for Python packages: those are locked in requirements.txt.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

VENDOR = Path(__file__).resolve().parent.parent / "static" / "vendor"
NPM_SECONDS = 120


class VendorError(Exception):
    """A library could not be fetched, or a file is not what its hash says."""


@dataclass(frozen=True, slots=True)
class VendoredFile:
    source: str  # path inside the npm package
    target: str  # name under static/vendor
    sha256: str


@dataclass(frozen=True, slots=True)
class Library:
    package: str
    version: str
    licence: str
    integrity: str  # npm's hash of the package: base64 SHA-512
    files: tuple[VendoredFile, ...]


def read(folder: Path = VENDOR) -> list[Library]:
    entries = json.loads((folder / "vendor.json").read_text())
    return [
        Library(
            package=entry["package"],
            version=entry["version"],
            licence=entry["licence"],
            integrity=entry["integrity"],
            files=tuple(VendoredFile(**file) for file in entry["files"]),
        )
        for entry in entries
    ]


def check(folder: Path = VENDOR) -> list[str]:
    """What is wrong, one sentence each: files that differ, are missing, or belong to no library."""
    problems = []
    known = {"vendor.json"}
    for library in read(folder):
        for file in library.files:
            known.add(file.target)
            path = folder / file.target
            if not path.exists():
                problems.append(f"{file.target} of {library.package} is missing; run make vendor.")
            elif _sha256(path.read_bytes()) != file.sha256:
                problems.append(f"{file.target} is not {library.package} {library.version}.")
    strangers = sorted(path.name for path in folder.iterdir() if path.name not in known)
    problems += [f"{name} is not listed in vendor.json." for name in strangers]
    return problems


def refresh(folder: Path = VENDOR) -> list[Library]:
    """Fetches every library at its version and writes files, hashes and vendor.json."""
    refreshed = [_fetch(library, folder) for library in read(folder)]
    (folder / "vendor.json").write_text(
        json.dumps([_entry(one) for one in refreshed], indent=2) + "\n"
    )
    return refreshed


def _fetch(library: Library, folder: Path) -> Library:
    with tempfile.TemporaryDirectory() as scratch:
        archive, integrity = _pack(library, Path(scratch))
        if library.integrity and integrity != library.integrity:
            raise VendorError(
                f"npm sent another {library.package} {library.version} than vendor.json knows. "
                "Empty its integrity only if you changed the version."
            )
        files = []
        with tarfile.open(archive) as package:
            for file in library.files:
                content = _member(package, f"package/{file.source}")
                (folder / file.target).write_bytes(content)
                files.append(VendoredFile(file.source, file.target, _sha256(content)))
    return Library(library.package, library.version, library.licence, integrity, tuple(files))


def _pack(library: Library, scratch: Path) -> tuple[Path, str]:
    command = ["npm", "pack", f"{library.package}@{library.version}", "--json", "--ignore-scripts"]
    try:
        done = subprocess.run(
            command, cwd=scratch, capture_output=True, text=True, timeout=NPM_SECONDS, check=True
        )
    except FileNotFoundError as error:
        raise VendorError("npm is not installed; only refreshing needs it.") from error
    except subprocess.TimeoutExpired as error:
        raise VendorError(f"npm did not answer within {NPM_SECONDS} s.") from error
    except subprocess.CalledProcessError as error:
        raise VendorError(
            f"npm could not fetch {library.package}: {error.stderr.strip()}"
        ) from error
    described = json.loads(done.stdout)[0]
    return scratch / str(described["filename"]), str(described["integrity"])


def _member(package: tarfile.TarFile, name: str) -> bytes:
    try:
        member = package.extractfile(name)
    except KeyError:
        member = None
    if member is None:
        raise VendorError(f"{name} is not in the package.")
    return member.read()


def _entry(library: Library) -> dict[str, object]:
    return {
        "package": library.package,
        "version": library.version,
        "licence": library.licence,
        "integrity": library.integrity,
        "files": [
            {"source": file.source, "target": file.target, "sha256": file.sha256}
            for file in library.files
        ],
    }


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m traceroot_site.vendor", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only compare files with their hashes")
    if parser.parse_args(arguments).check:
        problems = check()
        print("\n".join(problems) or "static/vendor is what vendor.json says.")
        return 1 if problems else 0
    try:
        for library in refresh():
            print(f"{library.package} {library.version}: {len(library.files)} files")
    except VendorError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
