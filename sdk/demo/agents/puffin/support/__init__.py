"""The support desk: one agent that answers customers of the shop."""

from .desk import handle

__all__ = ["handle"]
