"""Several processes that write to one registry; each a fresh interpreter, started together.

`python -m tests.models.crowd publish|alias ROOT BUNDLE ID COUNT`: wait for ROOT/go, then do it.
It loads no ONNX, so that a process is there in a moment.
"""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from shutil import copyfile

from models.bundle import CARD, Bundle, write_manifest
from models.registry import Registry

ROOT = Path(__file__).parents[2]
NAME = "tiny"
_PATIENCE_S = 120


def copying_writer(source: Path, *, pause_s: float = 0.0) -> Callable[[Path, str], None]:
    """What `Registry.publish` calls to make a version with the files of the bundle `source`."""
    manifest = Bundle.open(source).manifest

    def write(folder: Path, version: str) -> None:
        write_manifest(folder, manifest.model_copy(update={"version": version}))
        for name in (CARD, *(graph.file for graph in manifest.graphs)):
            time.sleep(pause_s)
            copyfile(source / name, folder / name)

    return write


def crowd(verb: str, root: Path, *, processes: int, count: int, bundle: Path) -> list[list[str]]:
    """What each process said, line by line; they start when all are ready."""
    root.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-W", "error", "-m", "tests.models.crowd", verb]
    command += [str(root), str(bundle)]
    running = [
        subprocess.Popen(
            [*command, str(i), str(count)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        for i in range(processes)
    ]
    try:
        _await(lambda: len(list(root.glob(".ready-*"))) == processes)
        (root / "go").touch()
        said = [process.communicate(timeout=_PATIENCE_S)[0].splitlines() for process in running]
    finally:
        for process in running:
            process.kill()
            process.wait()
    assert [process.returncode for process in running] == [0] * processes
    return said


def _await(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "the other processes did not come"
        time.sleep(0.001)


def _main(verb: str, root: Path, bundle: Path, me: str, count: int) -> None:
    registry = Registry(root, root / ".shipped")
    write = copying_writer(bundle)
    (root / f".ready-{me}").touch()
    _await((root / "go").exists)
    for turn in range(count):
        if verb == "publish":
            said = registry.publish(NAME, write).manifest.version
        else:
            said = f"alias-{me}-{turn}"
            registry.set_alias(NAME, said, version="1")
        sys.stdout.write(f"{said}\n")


if __name__ == "__main__":
    verb, root, bundle, me, count = sys.argv[1:]
    _main(verb, Path(root), Path(bundle), me, int(count))
