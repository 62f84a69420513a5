"""What the trace pipeline keeps in relational stores: work that waits, rows that nobody takes."""

from traces.models.quarantine import QuarantinedSpan
from traces.models.spool_batch import SpoolBatch

__all__ = ["QuarantinedSpan", "SpoolBatch"]
