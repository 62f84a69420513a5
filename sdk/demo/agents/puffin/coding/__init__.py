"""The coding agent: reads, patches and tests a small project in a scratch directory."""

from .agent import handle

__all__ = ["handle"]
