"""Use cases of accounts.

accounts.py         sign up, sign in, and one's own account
sessions.py         sessions: opened by sign-in, continued by refresh, ended
recovery.py         verification of an e-mail address, and recovery of a password
personal_tokens.py  personal access tokens
introspection.py    token introspection (RFC 7662) and revocation (RFC 7009)
oidc_login.py       sign-in with an OpenID Connect provider
oidc_linking.py     which account a provider's identity belongs to
administration.py   what moderators and admins do
deletion.py         export and deletion of an account
password_policy.py  refusal of weak passwords
"""
