import pytest
from pydantic import ValidationError

from app.settings import Settings
from models.selection import Choice


def test_settings_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENTISCOPE_MAX_IMAGES", "3")
    monkeypatch.setenv("SENTISCOPE_PRECISION", "int8")
    settings = Settings()
    assert settings.max_images == 3
    assert settings.precision is Choice.INT8


def test_port_without_a_prefix_is_read_and_the_prefixed_one_wins(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PORT", "8001")
    assert Settings().port == 8001
    monkeypatch.setenv("SENTISCOPE_PORT", "8002")
    assert Settings().port == 8002
    assert Settings(port=8003).port == 8003


def test_empty_variable_is_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = Settings()
    for name in ("MODELS_ROOT", "KEYS_FILE", "PORT"):
        monkeypatch.setenv(f"SENTISCOPE_{name}", "")
    assert Settings() == usual


def test_a_queue_too_short_for_one_request_is_refused() -> None:
    with pytest.raises(ValidationError, match="could never be answered"):
        Settings(queue_size=3, max_images=4)


def test_more_pixels_than_pillow_opens_are_refused() -> None:
    with pytest.raises(ValidationError, match="max_pixels"):
        Settings(max_pixels=200_000_000)


@pytest.mark.parametrize("name", ["URL_HOSTS", "URL_PRIVATE_HOSTS"])
def test_host_that_allows_everything_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"SENTISCOPE_{name}", '["*"]')
    with pytest.raises(ValidationError, match="is not a host to fetch images from"):
        Settings()
