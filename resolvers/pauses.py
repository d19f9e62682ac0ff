"""How long to leave alone what has failed."""

import random


def pause_seconds(failures: int, *, first: float, longest: float) -> float:
    """Twice as long after each failure in a row, up to a limit, and never quite in step with others."""
    return min(first * 2.0 ** min(failures - 1, 30), longest) * random.uniform(0.8, 1.2)
