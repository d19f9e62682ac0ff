"""The video platform behind one small port. It knows nothing of meetings beyond rooms and who goes into them."""
