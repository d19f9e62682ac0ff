"""The clients that apps are built with, from npm, against the running service."""
