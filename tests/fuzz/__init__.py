"""Lets schemathesis try the API, as it describes itself, on a planner that runs for the purpose."""
