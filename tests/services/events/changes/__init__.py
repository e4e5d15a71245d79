"""What has changed, and copies that are kept up to date."""
