"""The service at its limits: overload, very many requests, promotions under load, start-up.

    python -m bench.serving.limits --overload-s 5 --requests 500 --promotions 10 --starts 1

Figures are written to var/bench/limits.json.
"""

import argparse
import json
import tempfile
from dataclasses import asdict
from pathlib import Path

import uvloop

from bench.serving.graphs import bundle_of
from bench.serving.growth import Growth, growth
from bench.serving.machine import machine
from bench.serving.overload import Overload, overload
from bench.serving.photos import photos
from bench.serving.promotions import Promotions, promotions, publish_twice
from bench.serving.server import serving_ours
from bench.serving.startup import Startup, startup
from models.bundle import Bundle

RESULTS = Path("var/bench/limits.json")
Limit = Startup | Overload | Promotions | Growth


def main() -> None:
    """Measure, print what was found, and whether it is what must be."""
    given = _arguments()
    bundle = bundle_of(given.model)
    found = measured(bundle, given)
    shown = [check for limit in found for check in limit.checks()]
    document = {
        "machine": machine(),
        "model": bundle.label,
        "digest": bundle.digest,
        "checks": [asdict(check) for check in shown],
        "found": {type(limit).__name__.lower(): asdict(limit) for limit in found},
    }
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(document, indent=1) + "\n")
    print("| limit | measured | |\n| --- | --- | --- |")
    for check in shown:
        print(f"| {check.claim} | {check.measured:.3g} | {'holds' if check.holds else 'FAILS'} |")


def measured(bundle: Bundle, given: argparse.Namespace) -> list[Limit]:
    """Every limit, each on a service of its own."""
    images = photos()
    found: list[Limit] = [startup(bundle, images, starts=given.starts)]
    with serving_ours(bundle, image=images[0]) as server:
        found.append(uvloop.run(overload(server, images, seconds=given.overload_s)))
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        name = publish_twice(bundle, root)
        with serving_ours(bundle, image=images[0], root=root, shipped_root=root / "none") as server:
            moved = promotions(server, images, name=name, count=given.promotions)
            found.append(uvloop.run(moved))
    with serving_ours(bundle, image=images[0]) as server:
        found.append(uvloop.run(growth(server, images, requests=given.requests)))
    return found


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bench.serving.limits",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument("--model", default="default", help="a model of var/models or models/store")
    parser.add_argument("--overload-s", type=float, default=60.0)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--promotions", type=int, default=200)
    parser.add_argument("--starts", type=int, default=5)
    return parser.parse_args()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        raise SystemExit("stopped; nothing is left running, and nothing was written") from None
