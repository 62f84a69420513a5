"""The demo: three small agents with bugs of their own, and the scripted model they talk to."""
