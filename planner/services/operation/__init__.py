"""What those who run a planner ask of it.

statistics.py  how many documents there are, and how much work waits
"""
