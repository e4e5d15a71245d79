"""Looks after the packages that are installed: which have known vulnerabilities, and which are outdated.

locks.py      the requirements files, as data
auditing.py   `make audit`
outdated.py   `make outdated`, which keeps the table of docs/dependencies.md
"""
