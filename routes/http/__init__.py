"""What the routes share.

dependencies.py   dependencies of the routes: services, the event in the path, headers
responses.py      results of services as responses
problems.py       the body of an error response (RFC 9457), and its description
errors.py         which error becomes which status
bodies.py         request bodies, read within limits
forms.py          form bodies of the token endpoints
etags.py          entity tags, and the headers that compare them (RFC 9110 §13.1)
openapi.py        additions to the OpenAPI document
head_requests.py  HEAD for every GET
"""
