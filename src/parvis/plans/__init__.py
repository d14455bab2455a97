"""The plan of the first days and years: the protocol's versions, a household's steps, and who does them."""
