"""What the environment says of jobs."""

import pytest

from worker.settings import JobSettings


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REDIS_URL", "SENTISCOPE_REDIS_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("name", ["REDIS_URL", "SENTISCOPE_REDIS_URL"])
def test_an_empty_address_is_none(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "")
    assert JobSettings().redis_url is None


def test_an_empty_address_does_not_hide_the_other_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENTISCOPE_REDIS_URL", "")
    monkeypatch.setenv("REDIS_URL", "redis://there")
    assert JobSettings().redis_url == "redis://there"


def test_an_empty_number_or_list_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENTISCOPE_LEASE_S", "")
    monkeypatch.setenv("SENTISCOPE_IMPORT_ROOTS", "")
    settings = JobSettings()
    assert (settings.lease_s, settings.import_roots) == (15.0, ())
