"""Search for events by words and by place.

searchable_text.py  what is searched of an event
query.py            what a search looks for
cells.py            a grid of cells on the earth's surface, by which an index finds what is in a circle
"""
