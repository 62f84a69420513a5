"""What the trace pipeline keeps in relational stores: work that waits, rows that nobody takes, what
calls cost, what may be ingested, how long traces are kept and which are deleted.
"""

from traces.models.cost_rule import CostRule
from traces.models.deletion import DeletedTrace, Deletion
from traces.models.drop_rule import DropRule
from traces.models.ingest_limit import IngestLimit
from traces.models.price_map import InstalledPriceMap
from traces.models.price_override import PriceOverride
from traces.models.quarantine import QuarantinedSpan
from traces.models.retention import RetentionPolicy, RetentionRule
from traces.models.spool_batch import SpoolBatch

__all__ = [
    "CostRule",
    "DeletedTrace",
    "Deletion",
    "DropRule",
    "IngestLimit",
    "InstalledPriceMap",
    "PriceOverride",
    "QuarantinedSpan",
    "RetentionPolicy",
    "RetentionRule",
    "SpoolBatch",
]
