"""What was acknowledged while the trace engine could not take it, until it can."""
