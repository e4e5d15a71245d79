"""The HTTP server: its connections, and how it refuses requests.

loop.py             the event loop of a process that serves requests
listener.py         accepts new connections, several at a time
connections.py      the open connections of a process, and how many there may be
refusals.py         responses to requests that are refused before they reach the application
response_writer.py  writes the head of a response together with its body
protocol.py         the HTTP/1.1 protocol of the server, with limits
"""
