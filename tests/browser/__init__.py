"""The pages in Chromium, driven by Playwright: `make test-browser` runs this folder, `make test` leaves it out.

chromium.py    where Chromium is, and how it looks at the planner: size, theme, with scripts or without
accounts.py    accounts for browsers, made with requests
visits.py      a visit: it opens pages, fills fields and presses buttons by the names that people read
watching.py    what a browser complains of while it shows pages
page_checks.py what is true of every page: axe-core, width, weight
sample_account.py  an account with everything that a page can show
journeys/      what people do with the pages
appearance/    how every page looks
"""
