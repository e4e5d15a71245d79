"""Everything that knows the driver; it imports nothing of ours.

connection.py      opening, waiting, closing; which database the documents are bound to
drivers/           the asynchronous driver that is installed: Motor, or PyMongo's own
opening/           why a database cannot be used, and what to do about it
documents.py       the base class of all documents
errors.py          the driver's errors, under names the rest may use
queries.py         filters, updates, indexes and identifiers
reads.py           reading documents, and their bytes
aggregations.py    aggregation pipelines
writes.py          writes as values
commit.py          committing groups of writes and single conditional updates, confirming what was read
transactions/      groups of writes as transactions
pieces.py          large writes in pieces
ordered_writes.py  groups of writes on a server without transactions
slow_operations.py slow operations in the log
single_flight.py   calls made at the same moment share one execution
bson_values.py     values as BSON
embedded/          a real mongod as a child process
backup.py          backups: everything as of one moment, in one file
migrate.py         runs the migrations
migrations/        numbered changes to stored data
"""
