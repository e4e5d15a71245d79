"""The planner beside the least that could do the same work; `python -m tests.bench`, or `make bench`.

floor.py       the least: a bare ASGI callable over the same driver
sides.py       the two servers under test, what is stored in each, and the requests they are sent
people.py      what 64 people have and ask for: any event, a page of their own, the mix of a day
application.py what a request costs the application alone
load.py        a load generator: connections that ask again as soon as they are answered
cores.py       which core does what
measures.py    the operations, each a median over interleaved rounds
workers.py     two workers beside one
months.py      occurrences: a month among few events and many, a rule twenty years old
month_page.py  the page of a month, beside the JSON of its occurrences
feeds.py       a feed of many events, beside icalendar
imports.py     an import of many events, beside icalendar, and what others notice of it
table.py       how the figures are shown
"""
