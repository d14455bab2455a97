"""Who arrives: manifests, the short intake at the desk, the arrivals board."""
