"""Tests of opening a database."""
