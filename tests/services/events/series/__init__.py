"""Tests of recurring events and their occurrences."""
