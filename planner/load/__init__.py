"""What is done while more is asked than can be answered.

admission.py  how many requests are answered at the same time
lanes.py      bounds of the slow kinds of work
"""
