"""Starts that fail."""
