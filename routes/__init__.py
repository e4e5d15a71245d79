"""A path, a status, a header; bodies of one to three lines.

api.py            every router under /api/v1, put together
events.py         the event routes
imports.py        importing files, and how far an import is
occurrences.py    single occurrences of events
changes.py        what changed among events
revisions.py      what events were, and making them so again
free_busy.py      when people are busy, and who may see it
feeds.py          events for calendar programs: files, and addresses to subscribe to
users.py          one's own account, everyone's for those who look after the planner, the audit
signing.py        signing up, in and out, and the token endpoints
providers.py      signing in with OpenID Connect providers
sessions.py       one's sessions, and the password
recovery.py       proving an e-mail address, and getting back in by it
personal_tokens.py personal access tokens
pages.py          the two pages that mailed links open
health.py         /healthz, /readyz and what the problem types mean
dependencies.py   load-or-404, may-they, pages and keys, written once
forms.py          requests that come as forms
bodies.py         reading a request's body within its limits
heads.py          HEAD for whatever answers GET
answers.py        turning views into responses
errors.py         kind of error -> HTTP status
problems.py       the shape of every error answer, and which routes may give which
openapi.py        what the framework does not know of the document it makes
"""
