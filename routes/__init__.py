"""HTTP: a path, a status, a header; bodies of one to three lines.

api.py              all routers
events.py           events
occurrences.py      single occurrences of events
changes.py          what changed among events
revisions.py        earlier revisions of an event
free_busy.py        busy intervals
imports.py          import of iCalendar files
feeds.py            iCalendar files, and feeds
users.py            one's own account, administration, the audit
signin.py           sign-up, sign-in, sign-out, and the token endpoints
sessions.py         sessions, and the password
personal_tokens.py  personal access tokens
recovery.py         verification of an address, and recovery of a password
oidc.py             sign-in with OpenID Connect providers
health.py           /healthz, /readyz, and explanations of problem types
http/               what the routes share
pages/              HTML pages
"""
