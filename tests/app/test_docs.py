from pathlib import Path

import pytest

from app.options import Options
from app.settings import Settings
from tests.app.test_openapi import PATHS

TEXT = (Path(__file__).parents[2] / "docs" / "api.md").read_text()


@pytest.mark.parametrize("name", Settings.model_fields)
def test_setting_is_documented_as_it_is_described(name: str) -> None:
    field = Settings.model_fields[name]
    row = next(line for line in TEXT.splitlines() if f"`SENTISCOPE_{name.upper()}`" in line)
    assert str(field.description) in row
    if isinstance(field.default, int | float | str):
        assert f"`{field.default}`" in row


@pytest.mark.parametrize("name", Options.model_fields)
def test_option_is_documented(name: str) -> None:
    assert f"\n| `{name}` |" in TEXT


@pytest.mark.parametrize("path", PATHS)
def test_path_is_documented(path: str) -> None:
    for method in PATHS[path]:
        assert f"`{method.upper()} {path}`" in TEXT
