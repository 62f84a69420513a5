"""Kill and outage campaigns against the real product, in both of its shapes."""
