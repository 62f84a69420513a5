"""The embedded ClickHouse engine: chDB in a process of its own, behind ClickHouse's HTTP protocol.

Run it with ``python -m traces.store.engine``; start it from Python with ``process.EngineProcess``.
Nothing here imports Django: the engine starts in under a second and stays small. It serves one
machine on loopback; a deployment that grows points ``CLICKHOUSE_URL`` at a ClickHouse server.
"""
