"""The pages of imports and feeds, without a browser."""
