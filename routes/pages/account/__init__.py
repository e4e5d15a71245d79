"""Pages of one's own account.

profile.py    name, username, time zone, and the e-mail address
sessions.py   the password, and where one is signed in
tokens.py     personal access tokens, each shown once
providers.py  the accounts at providers with which one signs in
leaving.py    everything as a file, and the deletion of the account
"""
