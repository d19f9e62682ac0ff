"""How news travels: broadcast over Redis, and the feeds that nothing is missing from."""
