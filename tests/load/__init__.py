"""What the planner does when more is asked of it than it can do; `python -m tests.load` prints the figures.

setting.py    the planner under load, its accounts and its events
clients.py    clients that each ask once, on a connection of their own, and requests at a steady rate
new_connections.py  2,000 new connections at once
sign_ins.py   200 sign-ins at once
searches.py   24 clients that search, beside others who read and create
overload.py   twice as many requests as can be answered
capacity.py   the same for a server of a known capacity
descriptors.py  more idle connections than files can be opened
half_sent.py  requests that are never complete, and connections on which nothing is asked
"""
