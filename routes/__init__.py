"""A path, a status, a header; bodies of one to three lines.

api.py            every router under /api/v1, put together
accounts.py       signing up and in, and seeing oneself
events.py         the event routes
health.py         /healthz, /readyz and what the problem types mean
dependencies.py   load-or-404, may-they, pages and keys, written once
bodies.py         reading a request's body within its limits
answers.py        turning views into responses
errors.py         kind of error -> HTTP status
problems.py       the shape of every error answer, and which routes may give which
"""
