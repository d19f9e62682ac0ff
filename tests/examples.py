"""How much is made up to try a property with: EXAMPLES=20 tries twenty times as much."""

import os

TIMES = int(os.environ.get("EXAMPLES", "1"))
