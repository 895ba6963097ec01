"""The rules of the house that no linter checks: sizes, empty packages, no address in a pin."""

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("app", "bench", "models", "sentiscope", "tests", "training", "worker")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 50


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_stay_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_FILE_LINES
    for function in functions(path):
        length = (function.end_lineno or function.lineno) - function.lineno + 1
        assert length <= MAX_FUNCTION_LINES, f"{function.name} has {length} lines"


def test_packages_do_nothing_at_import() -> None:
    filled = [p for p in SOURCES if p.name == "__init__.py" and p.read_text(encoding="utf-8")]
    assert not filled


def test_no_module_is_named_after_nothing() -> None:
    vague = {"base", "common", "helpers", "misc", "utils"}
    assert not [path for path in SOURCES if path.stem in vague]


def test_pins_are_hashed_and_hold_no_address() -> None:
    pins = sorted((ROOT / "requirements").glob("*.txt"))
    assert pins
    for path in pins:
        text = path.read_text(encoding="utf-8")
        assert "://" not in text, path
        assert "index-url" not in text, path
        requirements = [line for line in text.splitlines() if line and line[0].isalnum()]
        assert text.count("--hash=sha256:") >= len(requirements)


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="no clone of the repository")
def test_no_data_and_no_lock_file_is_tracked() -> None:
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert "tests/test_house.py" in tracked
    assert not [name for name in tracked if name.endswith((".zip", ".webp", "uv.lock"))]
    assert not [name for name in tracked if name.startswith("var/")]
