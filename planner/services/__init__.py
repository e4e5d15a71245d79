"""Use cases: each class puts reads, rules and writes in order.

accounts/   sign-up, sign-in, sessions, tokens, recovery, providers, administration, deletion
events/     events, occurrences, revisions, changes, conflicts, free/busy
files/      iCalendar in and out: exports, feeds, imports
operation/  what those who run a planner ask of it
mail/       delivery of queued mail
shared/     what several of them use: idempotency, rate limits, audit
"""
