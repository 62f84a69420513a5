"""Which traces a sampled detector looks at: the same answer for a trace whenever it is asked."""

from __future__ import annotations

import hashlib
from uuid import UUID


def is_sampled(detector_id: UUID, trace_id: bytes, rate: float) -> bool:
    """True for a share `rate` of all traces, independently for each detector."""
    if rate >= 1.0:
        return True
    if rate <= 0.0:
        return False
    digest = hashlib.blake2b(trace_id + detector_id.bytes, digest_size=8).digest()
    return int.from_bytes(digest, "big") < rate * 2**64
