"""The use cases: each puts several reads, rules and writes in order.

accounts.py   sign up, sign in, see oneself
events.py     make, see, list, change and remove events
once.py       a creation that a client may send again without making a second thing
"""
