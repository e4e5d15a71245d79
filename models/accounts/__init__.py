"""Documents and schemas of accounts.

user.py              accounts, with the ids of their events embedded
account_requests.py  request bodies of accounts: sign-up, changes, passwords, deletion
session.py           sessions, each with its refresh token
personal_token.py    personal access tokens
token_schema.py      responses of the token endpoint and of introspection
one_time_token.py    one-time tokens, which are sent by mail
oidc_login.py        sign-ins with a provider: attempts, authorization codes
identity_schema.py   the identities of an account as they are sent
closed_account.py    closed accounts, of which everything is being deleted
export_job.py        exports of accounts that are made in the background
user_write_lock.py   the optimistic lock that serialises dependent writes of one user
"""
