"""Many people at once, while whatever can be taken away is taken away: in the end nobody has missed anything (W2).

`CHAOS=full` makes it long, `CHAOS_SEED` plays the same people, moves and victims again, as far as they decide it.
"""

import os
import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is of everything."""

    mutations: int
    "At least: people go on for as long as things are being killed."
    people: int
    "Half of them experts."
    clients: int
    actors: int
    kills: int
    "Of each kind."
    mutes: int
    "How often Redis takes no messages."
    disconnects: int
    cuts: int
    "How often PostgreSQL's connections are cut, in the test of that."
    seconds: int
    "Within which all of it must be over."


SIZES = {
    "": Size(mutations=120, people=6, clients=8, actors=6, kills=1, mutes=8, disconnects=15, cuts=15, seconds=120),
    "full": Size(
        mutations=5_000, people=20, clients=50, actors=8, kills=20, mutes=200, disconnects=500, cuts=500, seconds=1_800
    ),
}
SIZE = SIZES[os.environ.get("CHAOS", "")]
SEED = int(os.environ.get("CHAOS_SEED", random.randrange(10**9)))
