"""What an agent lives in: today, the office's picture, and the desk without network."""
