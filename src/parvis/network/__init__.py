"""The network kept true: freshness of listings, upkeep rounds, partner health, duplicates, meetings and the gap map."""
