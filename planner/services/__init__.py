"""The use cases: each puts several reads, rules and writes in order.

accounts.py         sign up, sign in, one's own account
sessions.py         opened by signing in, carried on by refreshing, ended
recovery.py         prove an e-mail address, get back into an account by it
personal_tokens.py  personal access tokens: made, listed, removed
import_drafts.py    entries of a file as they will be stored
import_worker.py    what reads a file, also as a process of its own
import_reading.py   that process, as seen from here
import_compare.py   whether a file says anything new
importing.py        what is new in a file, written
import_jobs.py      imports that are answered when done, and those that go on
introspection.py    what a token is, and making it worthless
providers.py        sign in with an OpenID Connect provider, there and back
linking.py          whose account somebody has who did
people.py           what moderators and admins do
leaving.py          taking one's data along, and leaving
events.py           make, see, list, change and remove events
occurrences.py      single occurrences: of all events in time order, of one to change
free_busy.py        when people are busy, and who may see it
bookings.py         refusing double bookings
turns.py            deciding by what is stored and then writing, with nothing changed in between
changes.py          what changed since somebody last asked
undo.py             what events were, and making them so again
exports.py          events as files for calendar programs
feeds.py            private addresses that calendar programs subscribe to
once.py             a creation that a client may send again without making a second thing
audit.py            noting what happens to accounts
limiter.py          refusing what is tried too often
password_rules.py   refusing passwords that are too weak, off the event loop
mailing.py          sending the mails that are due
senders.py          the ways for a mail to leave
fields.py           what pydantic found wrong, as field errors of ours
clock.py            the time, as everything that is stored tells it
"""
