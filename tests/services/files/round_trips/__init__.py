"""Files of every kind: imported, exported, read and written by other programs, and imported again."""
