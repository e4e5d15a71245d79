"""Documents and schemas of iCalendar files.

feed.py           feeds
feed_schema.py    feeds in requests and responses
export_schema.py  the query parameters of an export
event_export.py   the VEVENTs of stored events
import_job.py     imports that run in the background
import_schema.py  imports as they are answered
"""
