"""A scratch copy of the small project that the agent works on."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TEST_SECONDS = 60
FILES = {
    "slugs.py": '''"""Addresses of product pages."""


def slug(title):
    return title.lower().replace(" ", "-")
''',
    "paging.py": '''"""Pages of the product list."""


def page_count(items, size):
    return items // size


def page(rows, number, size):
    return rows[(number - 1) * size : number * size]
''',
    "test_shop.py": """import unittest

from paging import page, page_count
from slugs import slug


class SlugTest(unittest.TestCase):
    def test_words_are_joined_by_dashes(self):
        self.assertEqual(slug("Fjell 2 tent"), "fjell-2-tent")

    def test_no_dash_at_the_ends(self):
        self.assertEqual(slug(" Ember 400 "), "ember-400")


class PagingTest(unittest.TestCase):
    def test_a_started_page_counts(self):
        self.assertEqual(page_count(21, 10), 3)

    def test_second_page(self):
        self.assertEqual(page([1, 2, 3], 2, 2), [3])
""",
}


class Workspace:
    """Files under a directory of their own; nothing outside it can be named."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    @classmethod
    @contextmanager
    def open(cls) -> Iterator[Workspace]:
        with tempfile.TemporaryDirectory(prefix="puffin-") as name:
            for file, text in FILES.items():
                Path(name, file).write_text(text)
            yield cls(Path(name))

    def path(self, name: str) -> Path:
        path = (self.directory / name).resolve()
        if not path.is_relative_to(self.directory.resolve()) or not path.is_file():
            raise FileNotFoundError(f"The workspace has no file {name}.")
        return path

    def run_tests(self, pattern: str = "") -> tuple[bool, str]:
        """Whether the tests passed, and what they printed."""
        command = [sys.executable, "-B", "-I", "-m", "unittest", "discover", "-t", ".", "-s", "."]
        command += ["-k", pattern] if pattern else []
        done = subprocess.run(
            command, cwd=self.directory, capture_output=True, text=True, timeout=TEST_SECONDS
        )
        return done.returncode == 0, done.stderr.replace(str(self.directory), ".")
