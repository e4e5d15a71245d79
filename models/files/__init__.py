"""Documents and schemas of iCalendar files.

feed.py           feeds
feed_schema.py    feeds in requests and responses
export_schema.py  the query parameters of an export
event_export.py   the VEVENTs of stored events
import_job.py     imports that run in the background
import_chunk.py   the files of imports that run in the background
import_counts.py  the result of an import so far
import_schema.py  results and jobs of imports in responses
"""
