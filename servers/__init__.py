"""PostgreSQL and Redis for development and tests, out of wheels: nothing to install."""
