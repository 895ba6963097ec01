"""`make serve` installs requirements/serve-cpu.txt alone, and that is enough to predict."""

import json
import os
import re
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.app.client import publish_tiny
from tests.app.pictures import encoded, solid
from tests.app.server import ROOT, post_image, served

PINNED = ROOT / "requirements" / "serve-cpu.txt"
_BLOCKED = """\
import json, pathlib, sys
for name in json.loads(pathlib.Path(__file__).with_name("blocked.json").read_text()):
    sys.modules.setdefault(name, None)
"""


def normal(distribution: str) -> str:
    """Its name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", distribution).lower()


def not_pinned() -> list[str]:
    """Top-level packages that are here and would not be there."""
    pins = re.findall(r"^([A-Za-z0-9][\w.-]*)==", PINNED.read_text(), re.MULTILINE)
    known = {*map(normal, pins), "sentiscope"}
    found = packages_distributions().items()
    return sorted(name for name, owners in found if not known & set(map(normal, owners)))


@pytest.fixture
def light(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where processes that start from now on find no more than `make serve` installs."""
    folder = tmp_path / "light"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(_BLOCKED)
    (folder / "blocked.json").write_text(json.dumps(not_pinned()))
    path = [str(folder), *filter(None, [os.environ.get("PYTHONPATH")])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path))
    return tmp_path


def test_what_only_jobs_and_training_need_is_not_pinned() -> None:
    assert {"celery", "redis", "torch", "yaml"} <= set(not_pinned())


@pytest.mark.parametrize("executor", ["processes", "threads"])
def test_a_light_environment_predicts_and_says_that_it_has_no_jobs(
    light: Path, executor: str
) -> None:
    publish_tiny(light)
    redis_url = "redis://127.0.0.1:9/0"
    with served(light, executor=executor, redis_url=redis_url) as server:
        answer = post_image(server.url, encoded(solid()))
        assert answer.status_code == 200, answer.text
        assert server.stop()[0] == 0
        assert server.process.stderr
        said = server.process.stderr.read()
    assert "redis and celery and yaml is not installed: predictions only, no jobs" in said
