"""Measures, prints a table, and keeps the figures (`make bench`). BENCH_CLIENTS=1000 measures at one size only."""

import json
import os
import platform
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import fan_out, latency
from bench.surroundings import surroundings

RESULTS = Path(__file__).parent / "results"
DELIVERIES = 200_000
TOLD = 20_000
EVENTS = 400


def main() -> None:
    sizes = [int(each) for each in os.environ.get("BENCH_CLIENTS", "1000 5000").split()]
    kept: dict[str, Any] = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "python": platform.python_version()}
    kept["cores"] = os.cpu_count()
    say(f"{'':34}{'service':>12}{'bare':>12}{'ratio':>8}")
    with surroundings() as around:
        actors = around.web()
        for size in sizes:
            events = max(DELIVERIES // size, 20)
            found, text = fan_out.one_meeting(actors, around.web(), clients=size, events=events)
            compare(
                kept, f"one meeting, {size} clients", found, fan_out.bare(around, text, clients=size, events=events)
            )
        size = sizes[-1]
        found = fan_out.everybodys_own(around, actors, around.web(), clients=size, events=TOLD)
        compare(kept, f"{size} people's own", found, fan_out.bare(around, text, clients=size, events=TOLD, each=2))
        commit, web = latency.of_a_commit(around, times=EVENTS), around.web()
        kept["a commit"] = asdict(commit)
        say(f"{'a commit, p99 ms':34}{'':12}{commit.p99:12.2f}")
        for name, load in (("at rest", False), ("at half load", True)):
            told = latency.of_the_bare_handler(around, text, events=EVENTS, load=load)
            pushed = latency.of_the_service(around, web, events=EVENTS, load=load)
            kept[f"push {name}"] = {"service": asdict(pushed), "bare": asdict(told)}
            for figure in ("p50", "p99"):
                line(f"push {name}, {figure} ms", getattr(pushed, figure), getattr(told, figure))
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{kept['at'][:10]}.json").write_text(json.dumps(kept, indent=2) + "\n")


def compare(kept: dict[str, Any], name: str, service: fan_out.FanOut, bare: fan_out.FanOut) -> None:
    kept[name] = {"service": asdict(service), "bare": asdict(bare)}
    say(name)
    line("  CPU µs a delivery", service.cpu_microseconds, bare.cpu_microseconds)
    line("  deliveries a second", service.deliveries_per_second, bare.deliveries_per_second)
    line("  KiB an idle subscription", service.memory_kib_per_client, bare.memory_kib_per_client)
    line("  connects a second", service.connects_per_second, bare.connects_per_second)
    line("  CPU µs a connect", service.connect_cpu_microseconds, bare.connect_cpu_microseconds)


def line(name: str, service: float, bare: float) -> None:
    say(f"{name:34}{service:12,.1f}{bare:12,.1f}{service / bare:8.2f}")


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
