"""Files that the guides give in full are ones that their programs take."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from app.settings import Settings
from tests.docs.pages import Block, blocks
from worker.settings import JobSettings

DEPLOY = {block.file: block for block in blocks("docs/guides/deploy.md") if block.file}
UNITS = [name for name in DEPLOY if name and name.endswith(".service")]


def lines(block: Block) -> list[str]:
    return [line for line in block.text.splitlines() if line]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
@pytest.mark.parametrize("name", UNITS)
def test_systemd_takes_the_unit(name: str, tmp_path: Path) -> None:
    program = tmp_path / ".venv" / "bin" / "sentiscope"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    unit = tmp_path / name.replace("@.", "@0.")
    unit.write_text(DEPLOY[name].text.replace("/srv/sentiscope", str(tmp_path)))
    command = ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(unit)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", UNITS)
def test_unit_starts_what_the_repository_has_and_waits_long_enough(name: str) -> None:
    text = DEPLOY[name].text
    assert re.search(
        r"^ExecStart=/srv/sentiscope/[.]venv/bin/sentiscope (serve|worker)", text, re.M
    )
    stop_s = int(re.findall(r"^TimeoutStopSec=(\d+)$", text, re.M)[0])
    assert stop_s > max(JobSettings().stop_grace_s, Settings().drain_s)


def test_environment_file_has_settings_with_values_that_are_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for line in lines(DEPLOY["sentiscope.env"]):
        name, _, value = line.partition("=")
        monkeypatch.setenv(name, value)
    assert Settings().log_format == "json"
    assert JobSettings().import_roots == (Path("/srv/data"),)
    assert str(JobSettings().redis_url).startswith("redis://")


def test_redis_is_told_what_the_compose_file_tells_it() -> None:
    compose = yaml.safe_load((Path(__file__).parents[2] / "docker-compose.yml").read_text())
    command = compose["services"]["redis"]["command"]
    there = dict(zip(command[1::2], command[2::2], strict=True))
    for line in lines(DEPLOY["redis.conf"]):
        name, value = line.split()
        assert there[f"--{name}"] == value
