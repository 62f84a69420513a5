"""From a decoded request to an answer that can be kept: stored, spooled, quarantined, receipted."""
