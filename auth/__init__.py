"""Proves who is calling.

hash_password.py   passwords; the only module that names passlib
opaque_tokens.py   random words that mean something only to our database
jwt_handler.py     access tokens; the only module that names jose
identity.py        who a token stands for, known without a database read each time
providers.py       what OpenID Connect providers say; the only module that names authlib
authenticate.py    the dependency that guards the routes
"""
