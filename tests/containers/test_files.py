"""Images and compose file, without Docker: linted, and every word they use is one we know."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from app.settings import Settings
from tests.containers.compose import COMPOSE, OURS, mount_of
from tests.containers.dockerfile import ROOT
from tests.containers.dockerfile import TEXT as DOCKERFILE
from worker.settings import JobSettings


def test_dockerfile_has_no_fault() -> None:
    hadolint = shutil.which("hadolint", path=str(Path(sys.executable).parent))
    if hadolint is None:
        pytest.skip("hadolint is not installed here")
    found = subprocess.run([hadolint, ROOT / "Dockerfile"], capture_output=True, text=True)
    assert found.returncode == 0, found.stdout


def test_what_the_images_copy_is_there_and_in_their_context() -> None:
    let_in = re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE)
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    sources = {source for line in copied for source in line.split()}
    assert {"app", "requirements/api.txt", "requirements/worker.txt"} <= sources
    for source in sources:
        assert (ROOT / source).exists(), source
        assert source.split("/")[0] in let_in, source


@pytest.mark.parametrize("service", OURS)
def test_variables_are_settings(service: str) -> None:
    given = {
        *COMPOSE["services"][service]["environment"],
        *re.findall(r"SENTISCOPE_\w+", DOCKERFILE),
    }
    fields = {*Settings.model_fields, *JobSettings.model_fields}
    known = {"REDIS_URL", *(f"SENTISCOPE_{name.upper()}" for name in fields)}
    assert given <= known


@pytest.mark.parametrize("service", OURS)
def test_service_is_hardened_and_waits_for_redis(service: str) -> None:
    found = COMPOSE["services"][service]
    assert found["read_only"] is True
    assert found["cap_drop"] == ["ALL"]
    assert found["depends_on"] == {"redis": {"condition": "service_healthy"}}
    assert f"FROM base AS {found['build']['target']}\n" in DOCKERFILE


def test_redis_keeps_what_it_acknowledged() -> None:
    command = COMPOSE["services"]["redis"]["command"]
    options = dict(zip(command[1::2], command[2::2], strict=True))
    assert options["--appendonly"] == "yes"
    assert options["--appendfsync"] == "always"
    assert options["--maxmemory-policy"] == "noeviction"


def test_services_start_in_the_order_of_their_health() -> None:
    """Who waits for whose health: the awaited one has a healthcheck, its own or its image's."""
    for name, found in COMPOSE["services"].items():
        awaited = found.get("depends_on", {})
        for each in awaited if isinstance(awaited, dict) else ():
            assert awaited[each] == {"condition": "service_healthy"}, name
            assert each in OURS or "healthcheck" in COMPOSE["services"][each], each


def test_volumes_are_declared() -> None:
    named = {
        mount.source
        for service in COMPOSE["services"].values()
        for mount in map(mount_of, service.get("volumes", ()))
        if not mount.source.startswith(".")
    }
    assert named == set(COMPOSE["volumes"])
