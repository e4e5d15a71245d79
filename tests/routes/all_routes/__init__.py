"""What the contract promises of every route, tried on each that the OpenAPI document describes.

resources.py        the resources that valid requests need; a new route may need a line here
request_factory.py  a valid request for each route
hostile_values.py   what no request should contain

The routes are read in tests/support/openapi/, where each response is checked against the document.
"""
