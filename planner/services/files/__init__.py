"""Use cases of iCalendar files.

exports.py         events as iCalendar files
feeds.py           private addresses that calendar programs subscribe to
import_jobs.py     imports that are answered at once, and those that run in the background
importer.py        compares the entries of a file with stored events, and writes what differs
import_process.py  the process that reads a file, as its parent sees it
import_worker.py   the program of that process
import_drafts.py   entries of a file as events to be stored
import_compare.py  whether an entry differs from a stored event
"""
