from pathlib import Path

import pytest

from worker.settings import JobSettings

TEXT = (Path(__file__).parents[2] / "docs" / "jobs.md").read_text()


def test_every_setting_is_described() -> None:
    assert all(field.description for field in JobSettings.model_fields.values())


@pytest.mark.parametrize("name", JobSettings.model_fields)
def test_setting_is_documented_as_it_is_described(name: str) -> None:
    field = JobSettings.model_fields[name]
    row = next(line for line in TEXT.splitlines() if f"`SENTISCOPE_{name.upper()}`" in line)
    assert str(field.description) in row
    if isinstance(field.default, int | float | str | Path):
        assert f"`{field.default}`" in row
