"""Use cases of accounts.

accounts.py         sign up, sign in, and one's own account
sessions.py         sessions: opened by a sign-in, continued by refresh tokens, ended
recovery.py         verification of an e-mail address, and recovery of a password
personal_tokens.py  personal access tokens
introspection.py    token introspection (RFC 7662) and revocation (RFC 7009)
oidc_login.py       sign-in with an OpenID Connect provider
oidc_linking.py     which account a person has who signs in with a provider
administration.py   what moderators and admins do with accounts
deletion.py         deletion of an account
data_export.py      export of everything that is stored about an account
password_policy.py  refusal of weak passwords
"""
