"""Beanie documents with their named queries and conditional writes, and the schemas beside them.

schema.py       what every request and answer model shares
fields.py       the kinds of fields: text, addresses, tags
views.py        a stored thing as the JSON it is answered with
user.py         accounts, with the ids of their events embedded
event.py        events: what is stored and how it is queried
event_schema.py events: what is sent and what is answered
answer.py       the first answers to requests with an Idempotency-Key
"""

from beanie import Document

from models.answer import Answer
from models.event import Event
from models.user import User

DOCUMENTS: tuple[type[Document], ...] = (User, Event, Answer)
