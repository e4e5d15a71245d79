"""Use cases of accounts.

accounts.py         sign up, sign in, and proofs of who is calling
own_account.py      one's own account: read and changed
email_addresses.py  the proof of e-mail addresses
grants.py           the list of grants, and the recovery of an account by its address
sessions.py         sessions: opened by a sign-in, continued by refresh tokens, ended
recovery.py         recovery of an account whose password is forgotten
personal_tokens.py  personal access tokens
introspection.py    token introspection (RFC 7662) and revocation (RFC 7009)
oidc_attempts.py    the way to an OpenID Connect provider and back
oidc_login.py       sign-in with an OpenID Connect provider
identities.py       the identities of an account: listed, linked and removed
oidc_linking.py     which account a person has who signs in with a provider
administration.py   what moderators and admins do with accounts
deletion.py         deletion of an account
data_export.py      export of everything that is stored about an account
password_policy.py  refusal of weak passwords
"""
