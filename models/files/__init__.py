"""Documents and schemas of iCalendar files.

feed.py           feeds
event_export.py   the VEVENTs of stored events
import_job.py     imports that run in the background
import_schema.py  imports as they are answered
"""
