"""What Parvis knows without Django, a database, a clock or a locale."""
