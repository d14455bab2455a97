"""Messages to newcomers: text messages and mail in their language, at a decent hour, exactly once."""
