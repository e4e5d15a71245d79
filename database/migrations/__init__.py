"""Numbered changes to stored data, each a module with a Forward and a Backward class.

A migration says for itself what the documents looked like before and after; it imports
nothing that changes with the code.
"""
