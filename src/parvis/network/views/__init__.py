"""Pages of the network's upkeep."""
