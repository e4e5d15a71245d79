"""A planner on a replica set of three, while 16 writers write and its processes fail, one after the other.

replica_set.py  the mongods, and what can happen to them
traffic.py      what each request and each check of readiness brought, and when
failures.py     the failures: what happens, whether writes go on meanwhile, and how it ends
trial.py        runs a failure, and compares what happened with what is promised
__main__.py     runs all of them and prints the figures: `make test-failures`
"""
