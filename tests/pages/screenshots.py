"""Makes docs/screenshots anew: `python -m tests.pages.screenshots`.

The models are the shipped ones and those in var/models; the job is a real pipeline's record, its
first steps played from the figures of `make demo`, where var/runs has them.
"""

import json
import shutil
import tempfile
from io import BytesIO
from pathlib import Path

from PIL import Image

from tests.app.server import ROOT
from tests.pages.browser import Tab, browsing
from tests.pages.site import POINTS, Site, site
from worker.status import JobStatus

FOLDER = ROOT / "docs" / "screenshots"
READY = "document.querySelector('.bar') && !document.querySelector('[aria-busy=true]')"
PIPELINE = {"kind": "pipeline", "config": {"preset": "demo"}, "name": "Three steps of perception"}


def kept(name: str, content: bytes) -> None:
    """One picture of few colours, so that the repository stays small."""
    picture = Image.open(BytesIO(content)).convert("RGB")
    few = picture.quantize(
        256, method=Image.Quantize.MEDIANCUT, kmeans=2, dither=Image.Dither.FLOYDSTEINBERG
    )
    few.save(FOLDER / f"{name}.png", optimize=True)


def predictions(tab: Tab, pages: Site) -> None:
    """One picture by one model, by two in the dark, and on a phone."""
    tab.scheme("light")
    tab.size(1280, 1010)
    tab.open(f"{pages.url}/")
    tab.until("document.querySelector('#model').value")
    tab.click(".sample")
    tab.until(READY)
    kept("predict", tab.screenshot())

    tab.scheme("dark")
    tab.choose("#compare", "default@1")
    tab.until("document.querySelector('.other')")
    tab.until(READY)
    kept("compare-dark", tab.screenshot())

    tab.size(390, 844)
    tab.open(f"{pages.url}/")
    tab.until("document.querySelector('#model').value")
    tab.click(".sample:nth-child(1)")
    tab.until(READY)
    tab.run("document.querySelector('.card').scrollIntoView()")
    kept("phone-dark", tab.screenshot())


def figures(step: str) -> str:
    """What a step of the demo measured."""
    file = ROOT / "var" / "runs" / "demo" / step / "metrics.jsonl"
    if file.exists():
        return file.read_text(encoding="utf-8")
    return "".join(json.dumps(point) + "\n" for point in POINTS)


def jobs(tab: Tab, pages: Site) -> None:
    """A pipeline in the middle of its way, and the curves of a step."""
    pipeline = pages.submitted(PIPELINE)
    steps = {step.step: step.id for step in pages.store.children(pipeline)}
    for name in ("stimuli", "organizing", "perceiving"):
        lease = pages.store.claim(steps[name], worker="gpu@studio", lease_s=3600, max_attempts=3)
        assert lease
        pages.file(steps[name], "metrics.jsonl", figures(name))
        log = "epoch 1: done\nepoch 2: done\nepoch 3: 41 % of 10 steps, 61.2 images/s\n"
        pages.file(steps[name], "log.txt", log)
        if name == "perceiving":
            pages.told(lease, fraction=0.72, epoch=3)
        else:
            pages.told(lease, fraction=1.0, epoch=3)
            pages.store.move(steps[name], JobStatus.SUCCEEDED, lease=lease)
    tab.scheme("light")
    tab.size(1280, 860)
    tab.open(f"{pages.url}/jobs#{pipeline}")
    tab.until("document.querySelectorAll('ol .job').length === 6")
    tab.until("document.querySelector('.pill').innerText === 'running'")
    kept("pipeline", tab.screenshot())
    tab.open(f"{pages.url}/jobs#{steps['organizing']}")
    tab.until("document.querySelector('.chart')")
    kept("curves", tab.screenshot())


def models(tab: Tab, pages: Site) -> None:
    """Versions, and the lineage of one."""
    tab.size(1280, 1080)
    tab.open(f"{pages.url}/models")
    tab.until("document.querySelector('.card')")
    kept("models", tab.screenshot())


def main() -> None:
    """All of them."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="screenshots-"))
    shutil.copytree(ROOT / "var" / "models", folder / "models", dirs_exist_ok=True)
    shipped = ROOT / "models" / "store"
    with (
        site(folder, shipped_root=shipped, model="default") as pages,
        browsing() as tab,
    ):
        shutil.rmtree(folder / "models" / "tiny")  # the tests' own
        for part in (predictions, jobs, models):
            part(tab, pages)
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
