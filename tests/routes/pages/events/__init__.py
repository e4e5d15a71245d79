"""The pages of events, without a browser."""
