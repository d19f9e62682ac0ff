"""Measures, prints a table, and keeps the figures (`make bench`)."""

import sys

from bench.fan_out import bare, everybodys_own, one_meeting
from bench.surroundings import surroundings


def main() -> None:
    sizes = [int(each) for each in sys.argv[1:]] or [1_000, 5_000]
    found = {}
    with surroundings() as around:
        actors = around.web()
        for size in sizes:
            watched = around.web()
            found[f"a {size}"], text = one_meeting(
                around, actors, watched, clients=size, events=max(20, 100_000 // size)
            )
            found[f"a {size} bare"] = bare(around, clients=size, events=max(20, 100_000 // size), text=text, each=size)
        watched = around.web()
        found[f"b {sizes[-1]}"] = everybodys_own(around, actors, watched, clients=sizes[-1], events=1_000)
        found[f"b {sizes[-1]} bare"] = bare(around, clients=sizes[-1], events=5_000, text=text, each=2)
    for name, each in found.items():
        sys.stdout.write(f"{name:16} " + " ".join(f"{key}={value:.1f}" for key, value in vars(each).items()) + "\n")


if __name__ == "__main__":
    main()
