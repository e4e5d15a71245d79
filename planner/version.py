"""The version of the planner: what the API page, `pyproject.toml` and a release say."""

VERSION = "0.1.0"
