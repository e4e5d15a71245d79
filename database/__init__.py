"""Everything that knows the driver; it imports nothing of ours.

connection.py    opening, waiting, closing; which database the documents are bound to
errors.py        the driver's errors, under names the rest may use
writes.py        writes as values
commit.py        writes that are committed atomically, and single conditional ones
transactions.py  several groups of writes in one transaction
journal.py       groups of writes on a server without transactions
reads.py         stored documents as raw bytes: by id, or a page of them
aggregations.py  aggregation pipelines
queries.py       filters, indexes and identifiers
embedded/        a real mongod as a child process
migrate.py       runs the numbered changes in migrations/
migrations/      numbered changes to stored data
"""
