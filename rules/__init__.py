"""What is allowed, and what follows: pure rules over frozen facts. Standard library only."""
