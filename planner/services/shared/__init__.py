"""What several use cases share.

idempotency.py   responses that are stored under an Idempotency-Key
pages.py         pages of lists, and their cursors
leased_work.py   doing queued work that is due
retry.py         retrying while others write the same, and the pause before failed work is tried again
rate_limiter.py  limits on how often something may be tried
client_info.py   the client that sent a request
audit.py         the audit log of what happens to accounts
json_stream.py   JSON objects that are sent while they are read
field_errors.py  validation errors of pydantic as ours
views.py         rendered results
"""
