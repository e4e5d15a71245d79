"""How a planner ends."""
