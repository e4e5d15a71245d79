"""Pure rules on values: no await, no database, no HTTP; the time is an argument."""
