"""Where the examples of the pages run: a running service, and the files that they speak of."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from tests.docs.pages import ROOT, Block, blocks
from tests.sentiscope.command_line import PHOTOS
from tests.sentiscope.launched import Launched, launched
from tests.training.data.layouts import pictures, write_folder
from tests.worker.packing import zipped
from training.data.demo import write_demo

URL = "http://127.0.0.1:8000"
CLASSES = ("glad", "sad")
CHANGES: Mapping[str, str] = {
    "epochs: 20": "epochs: 1",
    "size: 192, train_crop: 160": "size: 32, train_crop: 28",
    "--preset own": "--preset own --set epochs=1 --set image.size=32 --set image.train_crop=28 "
    "--set image.eval_size=32",
    "source: torchvision": "source: random",
    "--set alias=candidate": "--set alias=candidate --set int8=false --set parity_images=64",
}
"""What is written, and what is run instead: for a machine without a network that has no time."""

PAINTED = {"train": 96, "val": 32, "test": 16}
"""Pictures of the demo data sets: enough for the demo's chain, cut short."""

_PRELUDE = """\
set -euo pipefail
curl() {  # a stream that goes on is left after a while
    if [[ " $* " == *" -N "* || " $* " == *" -sN "* ]]; then
        command curl --max-time 2 "$@" || [ $? = 28 ]
    else
        command curl --fail-with-body --silent --show-error "$@"
    fi
}
"""


@dataclass(frozen=True, slots=True)
class Household:
    """A folder like a clone of the repository, with a service at work in it."""

    running: Launched

    @property
    def folder(self) -> Path:
        """Where the commands are typed."""
        return self.running.folder

    def run(self, page: str) -> str:
        """What the page's examples print, typed one after the other into one shell."""
        parts = [self._typed(block) for block in blocks(page) if block.not_run is None]
        script = _PRELUDE + "\n".join(filter(None, parts))
        for written, wanted in {URL: self.running.url, **CHANGES}.items():
            script = script.replace(written, wanted)
        return self.shell(script)

    def shell(self, script: str) -> str:
        """What a script prints; fails where one of its commands does."""
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.folder,
            env=self._environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=900,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    def _typed(self, block: Block) -> str:
        if block.language == "sh":
            return f'echo "# {block.place}, at $SECONDS s"\n{block.text}'
        if block.language == "python":
            return f"echo '# {block.place}'\n.venv/bin/python - <<'END'\n{block.text}END"
        if block.file:
            return f"mkdir -p $(dirname {block.file})\ncat > {block.file} <<'END'\n{block.text}END"
        return ""

    def _environment(self) -> dict[str, str]:
        kept = {name: each for name, each in os.environ.items() if "SENTISCOPE" not in name}
        path = f"{self.folder / '.venv' / 'bin'}:{os.environ['PATH']}"
        return {**kept, "PATH": path, "SENTISCOPE_URL": self.running.url, "KEY": "none"}


@contextmanager
def opened(folder: Path) -> Iterator[Household]:
    """The folder furnished, the demo data sets painted: small ones."""
    (folder / ".venv").symlink_to(sys.prefix)
    for name in ("app", "models", "training"):
        (folder / name).symlink_to(ROOT / name)
    _furnish(folder)
    write_demo(folder / "var" / "datasets", counts=PAINTED)
    with launched(folder) as running:
        yield Household(running)


def _furnish(folder: Path) -> None:
    """Pictures under the names that the pages give them."""
    for name in ("photo.jpg", "a.jpg", "b.png"):
        Image.open(PHOTOS[0]).resize((96, 96)).save(folder / name)
    splits = {"train": 12, "val": 4, "test": 4}
    files = pictures(
        f"{split}/{label}/{n}.jpg"
        for split, count in splits.items()
        for label in CLASSES
        for n in range(count)
    )
    write_folder(folder / "photos", files)
    zipped(folder / "pictures.zip", files)
