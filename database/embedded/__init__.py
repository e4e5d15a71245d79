"""A real mongod as a child process.

server.py     starts, supervises and stops it
mongod.py     finds the program, and reads its log
processes.py  child processes that end with their parent
"""
