"""Sending recorded OTLP requests again: a client of the receiver, never a way around it."""
