"""Images per second of a bundle without HTTP: decode, pre-processing and ONNX Runtime in a loop.

This is the floor that serving is held against. Every variant runs in the same process, in turn,
several times; the table gives the median and the ratio to the first row.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

from PIL import Image

from app.decoding import decode
from models.manifest import Precision
from models.preprocessing import preprocess
from models.registry import Registry
from models.runtime import Session

_MAX_PIXELS = 50_000_000


def photo(width: int, height: int) -> bytes:
    """A JPEG of noise over a gradient: about as hard to decode as a photo."""
    gradient = Image.linear_gradient("L").resize((width, height))
    noise = Image.effect_noise((width, height), 40)
    picture = Image.merge("RGB", (gradient, noise, Image.blend(gradient, noise, 0.5)))
    stream = BytesIO()
    picture.save(stream, "JPEG", quality=85)
    return stream.getvalue()


def one_image(session: Session, content: bytes) -> None:
    """All the work of one prediction but HTTP."""
    spec = session.manifest.preprocessing
    picture = decode(content, needed=spec.size, max_pixels=_MAX_PIXELS)
    session.run(preprocess(picture.rgb, spec)[None])


def rate(work: Callable[[], None], *, workers: int, images: int) -> float:
    """Images per second of `work`, called `images` times by `workers` threads."""
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(lambda _: work(), range(workers)))
        started = time.perf_counter()
        list(pool.map(lambda _: work(), range(images)))
        return images / (time.perf_counter() - started)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="default")
    parser.add_argument("--images", type=int, default=100, help="images a round")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    bundle = Registry(Path("var/models")).open(arguments.model)
    content = photo(640, 480)
    rates: dict[tuple[Precision, int, int], list[float]] = {}
    sessions = {
        (graph.precision, threads): Session.open(bundle, precision=graph.precision, threads=threads)
        for graph in bundle.manifest.graphs
        for threads in (1, 2)
    }
    for _ in range(arguments.rounds):
        for (precision, threads), session in sessions.items():
            for workers in (1, 2):
                found = rate(
                    lambda session=session: one_image(session, content),  # type: ignore[misc]
                    workers=workers,
                    images=arguments.images,
                )
                rates.setdefault((precision, workers, threads), []).append(found)
    first = statistics.median(next(iter(rates.values())))
    print(f"{bundle.label}, 640x480 JPEG of {len(content) // 1024} KB, decode included")
    print("graph  runs at once  threads a run  images/s  ratio")
    for (precision, workers, threads), found_rates in rates.items():
        median = statistics.median(found_rates)
        print(f"{precision:5}  {workers:12}  {threads:13}  {median:8.1f}  {median / first:5.2f}")


if __name__ == "__main__":
    main()
