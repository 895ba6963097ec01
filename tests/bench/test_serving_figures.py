"""What is made of the serving bench's figures, by figures whose answer is known."""

import math

import pytest

from bench.serving.checks import checks
from bench.serving.growth import Growth
from bench.serving.load import Load
from bench.serving.overload import Overload
from bench.serving.promotions import Promotion, Promotions
from bench.serving.startup import Startup
from bench.serving.summary import Column, Summary
from bench.serving.visit import BUSY, MANY, ONE, Figures
from models.manifest import Precision


def figures(server: str, load: str, round: int = 0, **changes: float) -> Figures:
    given = {"rate": 90.0, "p50_ms": 10.0, "p95_ms": 20.0, "p99_ms": 30.0, **changes}
    return Figures(
        server, Precision.FP32, load, round, errors=1, memory_mib=100, ready_s=1, **given
    )


def measured(server: str, *rates: float) -> list[Figures]:
    """One round a rate, with a floor of 100 images a second and 9 ms."""
    return [
        each
        for number, rate in enumerate(rates)
        for each in (
            figures(server, MANY, number, rate=rate, floor_rate=100.0),
            figures(server, ONE, number, floor_ms=9.0),
            figures(server, BUSY, number),
        )
    ]


def test_quantiles_are_the_least_values_that_so_many_do_not_exceed() -> None:
    load = Load(latencies_s=[value / 1000 for value in range(100, 0, -1)])
    assert [load.quantile_ms(part) for part in (0.5, 0.99, 1)] == [50, 99, 100]
    assert math.isnan(Load().quantile_ms(0.5))


def test_shares_are_medians_over_the_rounds() -> None:
    summary = Summary(measured("sentiscope", 50, 95, 92))
    key = ("sentiscope", Precision.FP32)
    assert summary.median(key, MANY, lambda f: f.share) == 0.92
    assert summary.median(key, ONE, lambda f: f.above_floor_ms) == 1
    assert summary.errors(key) == 9


def test_a_table_has_a_row_a_server() -> None:
    summary = Summary([*measured("sentiscope", 90), *measured("mosec", 70)])
    table = summary.table(
        {"share": Column(MANY, lambda f: f.share, ".2f")},
        {"sentiscope": "as installed", "mosec": "2 workers"},
    )
    assert table.splitlines()[2:] == [
        "| sentiscope | fp32 | 0.90 | 3 | as installed |",
        "| mosec | fp32 | 0.70 | 3 | 2 workers |",
    ]


@pytest.mark.parametrize(
    ("ours", "theirs", "failing"),
    [(92, 70, []), (80, 70, ["0.88 of the floor"]), (90, 95, ["above mosec"])],
)
def test_checks_name_what_does_not_hold(ours: float, theirs: float, failing: list[str]) -> None:
    summary = Summary([*measured("sentiscope", ours), *measured("mosec", theirs)])
    found = list(checks(summary))
    assert len(found) == 4
    wrong = [check.claim for check in found if not check.holds]
    assert len(wrong) == len(failing)
    assert all(part in claim for part, claim in zip(failing, wrong, strict=True))


def test_without_our_own_figures_nothing_is_claimed() -> None:
    assert list(checks(Summary(measured("mosec", 90)))) == []


def test_a_version_is_current_from_its_move_until_the_next_is_answered() -> None:
    moves = Promotions([Promotion("1", 0, 0), Promotion("2", 10, 12), Promotion("3", 20, 22)])
    assert moves.current(5, 9) == {"1"}
    assert moves.current(5, 11) == {"1", "2"}
    assert moves.current(11, 11.5) == {"1", "2"}
    assert moves.current(13, 14) == {"2"}
    assert moves.current(5, 25) == {"1", "2", "3"}


@pytest.mark.parametrize(
    ("limit", "holding"),
    [
        (Overload(100, {200: 5, 429: 9, 504: 1}, [100, 104], 0.5), [True, True, True]),
        (Overload(100, {200: 5, 500: 1}, [100, 120], 2.0), [False, False, False]),
        (Growth(10, 0, 100, 104), [True, True]),
        (Growth(10, 1, 100, 110), [False, False]),
        (Promotions([Promotion("1", 0, 0)], answers=9), [True, True]),
        (Promotions([Promotion("1", 0, 0)], failed=1, wrong=1), [False, False]),
        (Startup([1.0, 1.5, 9.0], [200, 300, 400]), [True, True]),
        (Startup([3.0], [360]), [False, False]),
    ],
)
def test_limits_hold_or_do_not(
    limit: Overload | Growth | Promotions | Startup, holding: list[bool]
) -> None:
    assert [check.holds for check in limit.checks()] == holding
