"""An environment a server, made when it is first asked for, with the same libraries below it."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
ENVIRONMENTS = Path("var/bench/envs")
SHARED = ("numpy", "onnxruntime", "pillow", "pydantic")
"""What every server computes with, in the versions that we pin."""

_PINS = ROOT / "requirements" / "serve-cpu.txt"
_MADE = ".made-of"


class NotInstallable(Exception):
    """The server cannot be installed on this machine."""


def environment(name: str, requirements: Sequence[str]) -> Path:
    """The Python of an environment with `requirements`; raises NotInstallable."""
    arguments = [*requirements, *_pinned()]
    return _made(name, " ".join(arguments), arguments)


def own_environment() -> Path:
    """The Python of an environment as `make serve` makes it; raises NotInstallable."""
    return _made("sentiscope", _PINS.read_text(), ["--require-hashes", "-r", str(_PINS)], ours=True)


def _made(name: str, recipe: str, arguments: Sequence[str], *, ours: bool = False) -> Path:
    folder = (ENVIRONMENTS / name).resolve()
    python, made = folder / "bin" / "python", folder / _MADE
    if made.is_file() and made.read_text() == recipe:
        return python
    made.unlink(missing_ok=True)
    _uv("venv", "--clear", "--python", sys.executable, str(folder))
    install = ("pip", "install", "--python", str(python))
    _uv(*install, *arguments)
    if ours:
        _uv(*install, "--no-deps", "--no-build-isolation", "--editable", str(ROOT))
    made.write_text(recipe)
    return python


def _uv(*arguments: str) -> None:
    command = [str(Path(sys.executable).parent / "uv"), "--quiet", *arguments]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    if said.returncode:
        raise NotInstallable(said.stderr.strip() or f"uv ended with {said.returncode}")


def _pinned() -> list[str]:
    lines = (line.strip(" \\") for line in _PINS.read_text().splitlines())
    return [line for line in lines if line.partition("==")[0] in SHARED]
