"""What can go wrong between us and the trace store.

StoreError
├── StoreUnavailable   the engine cannot be reached or has no capacity: try again
├── StoreRejected      the engine refused this content or statement: trying again will not help
├── QueryTooLarge      the question needs more time or memory than one read may have
└── Overloaded         we refuse to take more until what waits is written: try again
"""


class StoreError(Exception):
    """Any failure of the trace store."""


class StoreUnavailable(StoreError):
    """The engine cannot be reached or has no capacity. Nothing was written; try again."""


class StoreRejected(StoreError):
    """The engine refused the content or the statement. Trying again will not help."""


class QueryTooLarge(StoreError):
    """The question needs more time or memory than one read may have."""


class Overloaded(StoreError):
    """More waits to be written than we hold. Nothing was taken; try again."""
