"""Use cases of iCalendar files.

exports.py          events as iCalendar files
feeds.py            private addresses that calendar programs subscribe to
import_jobs.py      imports within a request, and import jobs in the background
importer.py         compares the drafts of a file with stored events, and writes what differs
import_process.py   reads a file in a process of its own
import_messages.py  the messages of that process
import_worker.py    the program of that process
import_drafts.py    the entries of a file as events that can be stored
import_changes.py   what the organizer of an event says, after an entry of theirs
import_merge.py     the changes of the organizer and of the user of an event, merged
import_updates.py   what an entry changes in a stored event
import_declined.py  whether the account has declined an invitation
import_compare.py   whether an entry has the content of a stored event already
"""
