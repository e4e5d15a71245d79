"""Documents and schemas of what people share.

busy_share.py   shares: who may see whose free/busy
busy_schema.py  free/busy: query parameters and response
"""
