"""The pages of one's own account, without a browser."""
