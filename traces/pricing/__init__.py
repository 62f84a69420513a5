"""What model calls cost: names, price maps, a project's own prices, tiers, and why.

`book` holds the prices in force, `quotes` prices a span, `explanation` says why.
"""

from traces.pricing.book import forget, load, reload
from traces.pricing.quotes import apply, cost_usd, find, version

__all__ = ["apply", "cost_usd", "find", "forget", "load", "reload", "version"]
