"""Something to see in the sandbox: people and meetings to start with, and a story played over the public API."""
