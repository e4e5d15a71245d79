"""Documents and schemas of what people share.

busy_share.py   who may see whose free/busy
busy_schema.py  free/busy as it is answered
"""
