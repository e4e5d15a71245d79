"""What bounds the memory of a process.

cache.py    a cache whose bound is a number of bytes
process.py  settings of Python's garbage collection and of the C library
"""
