"""Tests of edits of a series: of one occurrence, of those that follow, and of all."""
