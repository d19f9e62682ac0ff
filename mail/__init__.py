"""E-mail: what a notification looks like as one, and the ways it goes out."""
