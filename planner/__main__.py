"""`python -m planner …`: see cli.py."""

from planner.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
