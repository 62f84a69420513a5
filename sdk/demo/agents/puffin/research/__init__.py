"""The research crew: planner, researcher and writer, who hand work to each other."""

from .crew import handle

__all__ = ["handle"]
