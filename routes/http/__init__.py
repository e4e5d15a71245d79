"""What the routes share.

services.py       the services of the application, found from a request
time_limit.py     the limits on how long a request takes, and waits for the database
request_record.py what is recorded of each request, and headers that every response has
route.py          the class of every route: its OpenAPI operation follows from its function
arguments.py      the arguments of a route's function, found once for each route
dependencies.py   dependencies of the routes: services, the event in the path, headers
responses.py      responses made from the views that services return
problems.py       the body of an error response (RFC 9457), and the descriptions of errors
errors.py         the status of each kind of error, and the error handlers
headers.py        descriptions of the response headers
bodies.py         request bodies, read within limits
forms.py          form bodies of the token endpoints
etags.py          entity tags, and the headers that compare them (RFC 9110 §13.1)
openapi.py        additions to the OpenAPI document
head_requests.py  HEAD for every GET
proxies.py        what is done behind a reverse proxy
"""
