"""HTTP: a path, a status, a header; functions of one to three lines.

api.py              all routers
events.py           events, and takedowns of events
occurrences.py      single occurrences of recurring events
changes.py          changes of events since a token
revisions.py        revisions of an event, and restoring one
free_busy.py        busy intervals, and who may see them
imports.py          import of iCalendar files
feeds.py            iCalendar files of events, and feeds
users.py            accounts, and the audit log
signin.py           sign-up, sign-in, sign-out, and the token endpoints
sessions.py         sessions, and the change of a password
personal_tokens.py  personal access tokens
recovery.py         verification of an e-mail address, and recovery of a password
oidc.py             sign-in with OpenID Connect providers
metrics.py          the metrics of the planner, for Prometheus
health.py           health checks, and explanations of problem types
http/               what the routes share
server/             the HTTP server: its connections, and how it refuses requests
pages/              HTML pages
"""
