"""What several documents share.

audit.py                the audit
idempotent_response.py  responses that are stored under an Idempotency-Key
rate_limit_counter.py   counters of what is limited
guard.py                documents that serialise groups of writes
file_part.py            the files of jobs, in parts
leased_work.py          queued work that one process at a time does
time_zone_version.py    the version of the rules of time zones by which something was computed
heartbeat.py            the document that is written to find out whether writing works
schema.py               base classes of schemas
derived_schema.py       schemas whose fields follow from another one
fields.py               types of fields
json_rendering.py       JSON as the API sends it
"""
