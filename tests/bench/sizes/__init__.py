"""What requests cost among many events and among few; `python -m tests.bench.sizes`, or `make bench-sizes`.

seeding.py   many events of many people, written directly into a database
requests.py  the requests that are measured
__main__.py  seeds, measures by turns, and prints medians and ratios
storage.py   how much room events and their indexes take
"""
