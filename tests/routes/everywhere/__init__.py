"""What the contract says of everything, tried on every route that the application describes.

operations.py    the routes, as the OpenAPI document describes them
things.py        what the routes are about; a new one may need a line here
samples.py       a valid request for each route
documented.py    checks each answer that these tests see against the document
hostile.py       what no request should hold
"""
