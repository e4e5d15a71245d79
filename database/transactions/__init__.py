"""Groups of writes as transactions.

group_commit.py  several groups in one transaction, when they arrive together
abandoned.py     transactions of processes that were killed or hang are ended
"""
