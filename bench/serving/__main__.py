"""Serving compared: ours and other servers, the same graph and decoding, against the floor.

    python -m bench.serving --rounds 1 --seconds 2 --servers sentiscope mosec

Servers take turns, each is started anew in each round, and the floor is measured just before each
load; the table gives medians. Figures are written to var/bench/serving.json, the table beside it.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from bench.serving.checks import LEAST_GAIN, checks
from bench.serving.contenders import SERVERS, setup
from bench.serving.environments import NotInstallable
from bench.serving.graphs import bundle_of
from bench.serving.machine import cores, machine
from bench.serving.photos import HEIGHT, WIDTH, photos
from bench.serving.server import NotReady
from bench.serving.summary import Column, Summary
from bench.serving.visit import BUSY, HALF, MANY, ONE, SOME, Figures, Plan, visit
from models.manifest import Precision

RESULTS, TABLE = Path("var/bench/serving.json"), Path("var/bench/serving.md")
COLUMNS = {
    "32 clients, images/s": Column(MANY, lambda f: f.rate),
    "of the floor": Column(MANY, lambda f: f.share, ".2f"),
    "p99 ms": Column(MANY, lambda f: f.p99_ms),
    "8 clients, images/s": Column(SOME, lambda f: f.rate),
    "of it": Column(SOME, lambda f: f.share, ".2f"),
    "1 client, p50 ms": Column(ONE, lambda f: f.p50_ms, ".1f"),
    "above the floor": Column(ONE, lambda f: f.above_floor_ms, "+.1f"),
    "50 %: p50 ms": Column(HALF, lambda f: f.p50_ms),
    "50 %: p99": Column(HALF, lambda f: f.p99_ms),
    "80 %: p50 ms": Column(BUSY, lambda f: f.p50_ms),
    "80 %: p99": Column(BUSY, lambda f: f.p99_ms),
    "MiB": Column(MANY, lambda f: f.memory_mib),
    "ready s": Column(MANY, lambda f: f.ready_s, ".1f"),
}


def main() -> None:
    """Measure, print the table and what it shows."""
    given = _arguments()
    plan = Plan(bundle_of(given.model), photos(), cores(), given.seconds)
    figures, missing = measured(plan, given.servers, given.precision, rounds=given.rounds)
    summary = Summary(figures)
    setups = {name: setup(name, plan.cores) for name in given.servers}
    shown = list(checks(summary, least_gain=given.least_gain))
    lines = [
        f"{plan.bundle.label}, {WIDTH}x{HEIGHT} JPEG, {given.rounds} rounds of {given.seconds:g} s,"
        f" {machine()['processor']}, {plan.cores} cores",
        "",
        summary.table(COLUMNS, setups),
        "",
        *(f"- {check}" for check in shown),
        *(f"- not measured: {name}: {reason}" for name, reason in missing.items()),
    ]
    TABLE.write_text("\n".join(lines) + "\n")
    document = {
        "machine": machine(),
        "model": plan.bundle.label,
        "digest": plan.bundle.digest,
        "seconds": given.seconds,
        "servers": setups,
        "missing": missing,
        "checks": [asdict(check) for check in shown],
        "figures": [asdict(each) for each in figures],
    }
    RESULTS.write_text(json.dumps(document, indent=1) + "\n")
    print("\n".join(lines))


def measured(
    plan: Plan, servers: Sequence[str], precisions: Sequence[Precision], *, rounds: int
) -> tuple[list[Figures], dict[str, str]]:
    """The figures, and why a server has none."""
    figures: list[Figures] = []
    missing: dict[str, str] = {}
    for number in range(rounds):
        for precision in precisions:
            for server in servers:
                if server in missing:
                    continue
                print(f"round {number + 1} of {rounds}: {server} {precision}", flush=True)
                try:
                    figures += list(visit(server, precision, plan=plan, round=number))
                except (NotInstallable, NotReady) as error:
                    missing[server] = str(error)
    return figures, missing


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bench.serving", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--model", default="default", help="a model of var/models or models/store")
    parser.add_argument("--servers", nargs="+", choices=SERVERS, default=list(SERVERS))
    parser.add_argument(
        "--precision", nargs="+", type=Precision, choices=list(Precision), default=list(Precision)
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=8.0, help="of each load; the floor half")
    parser.add_argument(
        "--least-gain", type=float, default=LEAST_GAIN, help="of INT8; 2 for a ResNet-50"
    )
    return parser.parse_args()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        raise SystemExit("stopped; nothing is left running, and nothing was written") from None
