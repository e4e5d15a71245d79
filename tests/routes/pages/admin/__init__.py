"""The pages of moderators and admins, without a browser."""
