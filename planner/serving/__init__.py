"""Serving requests in several processes.

supervisor.py  the process that starts the workers, and starts another one for each that ends
workers.py     the workers, and what all of them have in common
ending.py      the end of a process
"""
