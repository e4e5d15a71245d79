"""The one folder that names the driver; it imports nothing of ours.

connection.py    opening, waiting, closing; which database the documents are bound to
errors.py        the driver's errors, under names the rest may use
writes.py        writes as values
groups.py        writes that belong together, and single conditional ones
transactions.py  groups as transactions, several to a commit
journal.py       groups on a server without transactions, and what mends a crash there
reads.py         stored documents as raw bytes: by id, or a page of them
pipelines.py     aggregations
queries.py       the vocabulary of indexes and identifiers
embedded.py      a real mongod as a child process (mongod.py finds it, processes.py ends it)
migrate.py       runs the numbered changes in migrations/
"""
