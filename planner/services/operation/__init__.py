"""What those who run a planner ask of it.

readiness.py   whether a planner can do its work
statistics.py  how many documents there are, and how much work waits
"""
