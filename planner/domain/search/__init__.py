"""Search for events by words.

searchable_text.py  what is searched of an event
query.py            what a search looks for
"""
