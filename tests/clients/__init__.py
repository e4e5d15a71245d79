"""Clients that others have written, against a planner that runs: of OAuth 2.0, and generated from the OpenAPI document.

test_oauth_clients.py     Authlib, requests-oauthlib, httpx-oauth
test_generated_client.py  a client made by openapi-python-client
"""
