"""The asynchronous driver: the one that is installed, and short queries without its commands.

choice.py          what the rest uses, and which of the two it is
motor_client.py    Motor, for Beanie 1
pymongo_client.py  PyMongo's own asynchronous client, for Beanie 2
find_command.py    short queries over the connections of PyMongo's asynchronous client
"""
