"""Every write to people's files, by subject: people (households, who is in them), profile, sharing, rights."""
