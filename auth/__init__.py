"""Authentication: who is calling.

authenticate.py   the dependencies that guard routes (RFC 6750)
principal.py      the account that a token acts for, and its rights
jwt_handler.py    access tokens: signing and verifying (RFC 9068)
opaque_tokens.py  refresh tokens, personal access tokens, feed tokens
secret_keys.py    the secret of the server, and the previous one
browser_cookie.py the cookie of a browser session, and the tokens of its forms
hash_password.py  password hashes
oidc_client.py    a client of an OpenID Connect provider
"""
