"""Why a database cannot be used, found out when it is opened; and the indexes that it lacks.

failures.py      errors of the driver as clauses: the reason, and what to do
servers.py       the failure behind a server that cannot be selected; whether it speaks TLS
checks.py        what a server that responds must have: its version, the rights of the user, room on its disk
index_builds.py  building the indexes that are missing, and saying how far that is
"""
