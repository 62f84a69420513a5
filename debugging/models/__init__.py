"""Tables of debugging: repositories of a project, sessions and their steps."""

from debugging.models.repository import Repository
from debugging.models.session import DebuggingSession, Step

__all__ = ["DebuggingSession", "Repository", "Step"]
