"""The calendar: a month, a week, a day, or a list of days.

calendar_page.py   the page, at an address for each view and date
periods.py         the days that a view shows, and those before and after
regions.py         on which day a week begins
calendar_items.py  occurrences as they are shown: on which days, at which local times
month_layout.py    which items stand in which line of a day
hour_layout.py     where items stand among the hours of a day, and how wide they are
words.py           what these pages say
moves.py           an item that is dragged to another day or hour
"""
