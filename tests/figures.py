"""Reading figures as Prometheus does."""

from dataclasses import dataclass

import httpx2
from prometheus_client.parser import text_string_to_metric_families

from tests.conftest import METRICS_TOKEN

Key = tuple[str, frozenset[tuple[str, str]]]


@dataclass(frozen=True, slots=True)
class Figures:
    """What one scrape told."""

    values: dict[Key, float]

    def of(self, name: str, **labels: str) -> float:
        """A figure; nothing was counted where there is none yet."""
        return self.values.get((name, frozenset(labels.items())), 0.0)

    def labels(self, name: str) -> list[dict[str, str]]:
        """What a figure is told of."""
        return [dict(labels) for told, labels in self.values if told == name]


async def figures_at(http: httpx2.AsyncClient, path: str = "/metrics") -> Figures:
    """A scrape."""
    answer = await http.get(path, headers={"Authorization": f"Bearer {METRICS_TOKEN}"})
    assert answer.status_code == 200, answer.text
    found: dict[Key, float] = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            key = (sample.name, frozenset(sample.labels.items()))
            assert key not in found, f"{key} was told twice"
            found[key] = sample.value
    return Figures(found)
