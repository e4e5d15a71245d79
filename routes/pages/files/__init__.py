"""Pages of files: what comes in, and what goes out.

import_pages.py  choose a file, see what its import would do, do it
feed_pages.py    feeds with their addresses and QR codes; the calendar as a file
"""
