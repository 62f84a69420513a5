"""How long a project keeps its traces: rules (`policies`) and what they say of stored traces
(`expiry`). What has expired is deleted as everything else is (`traces.deletion`).
"""
