"""The browser libraries under static/vendor are what vendor.json says."""

from __future__ import annotations

import shutil
from pathlib import Path

from traceroot_site import vendor


def test_vendored_files_match_their_hashes() -> None:
    assert vendor.check() == []


def test_a_changed_a_missing_and_a_strange_file_are_each_named(tmp_path: Path) -> None:
    folder = tmp_path / "vendor"
    shutil.copytree(vendor.VENDOR, folder)
    (folder / "htmx.min.js").write_text("alert(1)")
    (folder / "htmx.LICENSE.txt").unlink()
    (folder / "stray.js").write_text("")
    version = vendor.read()[0].version
    assert vendor.check(folder) == [
        f"htmx.min.js is not htmx.org {version}.",
        "htmx.LICENSE.txt of htmx.org is missing; run make vendor.",
        "stray.js is not listed in vendor.json.",
    ]


def test_every_library_names_its_licence_and_carries_its_text() -> None:
    for library in vendor.read():
        assert library.licence
        assert any("LICENSE" in file.target for file in library.files)


def test_the_list_carries_no_download_addresses() -> None:
    assert "://" not in (vendor.VENDOR / "vendor.json").read_text()
