"""The figures of all rounds in one: medians, and ratios taken within a round before."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from bench.serving.visit import Figures
from models.manifest import Precision

Key = tuple[str, Precision]
"""A server and what it computes with."""


@dataclass(frozen=True, slots=True)
class Summary:
    """Medians of what was measured."""

    figures: Sequence[Figures]

    @property
    def keys(self) -> tuple[Key, ...]:
        """What was measured to its end at least once, in that order."""
        return tuple(dict.fromkeys((each.server, each.precision) for each in self.figures))

    def median(self, key: Key, load: str, of: Callable[[Figures], float | None]) -> float:
        """The median over rounds; raises StatisticsError where nothing was measured."""
        found = [
            value
            for each in self.figures
            if (each.server, each.precision) == key and each.load == load
            if (value := of(each)) is not None
        ]
        return median(found)

    def errors(self, key: Key) -> int:
        """Requests of all rounds and loads without a 200."""
        return sum(e.errors for e in self.figures if (e.server, e.precision) == key)

    def table(self, columns: Mapping[str, "Column"], setups: Mapping[str, str]) -> str:
        """Markdown, a row a server and precision."""
        head = ["server", "graph", *columns, "not 200", "set up as"]
        rows = [
            [
                key[0],
                key[1].value,
                *(column.text(self, key) for column in columns.values()),
                f"{self.errors(key)}",
                setups[key[0]],
            ]
            for key in self.keys
        ]
        return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *rows])


@dataclass(frozen=True, slots=True)
class Column:
    """One figure of a table."""

    load: str
    of: Callable[[Figures], float | None]
    form: str = ".0f"

    def text(self, summary: Summary, key: Key) -> str:
        """As it stands in the table."""
        return format(summary.median(key, self.load, self.of), self.form)
