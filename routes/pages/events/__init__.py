"""The pages of events: shown, written, deleted, restored.

words.py          what these pages say
rule_sentence.py  a recurrence rule as an English sentence
repeats.py        the fields of a form that describe a recurrence
form_values.py    the fields of a form that describe an event
form_changes.py   what somebody has changed in the form of an event
targets.py        the event or the occurrence that a page is about
showing.py        an event as it is shown, and its iCalendar file
creating.py       the page on which an event is created
editing.py        the page on which an event is changed
refusals.py       forms that could not be saved, shown again
questions.py      a question that is answered with one of several buttons
deleting.py       deletion, and its undo
history.py        earlier revisions, and their return
"""
