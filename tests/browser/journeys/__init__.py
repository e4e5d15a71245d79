"""What people do with the pages: with scripts and without, with large and small windows, with the keyboard alone."""
