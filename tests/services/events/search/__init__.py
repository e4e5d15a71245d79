"""Finding events by words and places."""
