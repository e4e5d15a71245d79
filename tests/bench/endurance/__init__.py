"""What takes minutes, and is therefore no part of `make bench`.

memory.py         the memory of a worker under a mixed load, minute by minute
large_account.py  the export and the deletion of an account with very many events
numbering.py      very many changes without a number
setting.py        a planner on a MongoDB of its own
"""
