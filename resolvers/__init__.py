"""What we do about it: one short story per action or read. Plain Python; knows nothing of GraphQL or HTTP."""
