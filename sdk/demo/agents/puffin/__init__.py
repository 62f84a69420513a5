"""The agents of Puffin & Pine, outdoor gear."""

RELEASE = "1.4.0"
