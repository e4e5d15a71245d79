"""The use cases: each puts several reads, rules and writes in order.

accounts.py   sign up, sign in, see oneself
providers.py  sign in with an OpenID Connect provider, there and back
linking.py    whose account somebody has who did
events.py     make, see, list, change and remove events
once.py       a creation that a client may send again without making a second thing
"""
