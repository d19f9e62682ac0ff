"""What the service costs, beside what it would cost to do next to nothing (`make bench`)."""
