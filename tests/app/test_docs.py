"""The page about the API says what there is."""

from pathlib import Path

import pytest

from app.options import Options
from tests.app.job_service import JobService

TEXT = (Path(__file__).parents[2] / "docs" / "api.md").read_text()


@pytest.mark.parametrize("name", Options.model_fields)
def test_option_is_documented(name: str) -> None:
    assert f"\n| `{name}` |" in TEXT


def test_every_operation_is_documented(service: JobService) -> None:
    paths = service.client.get("/openapi.json").json()["paths"]
    operations = {f"`{method.upper()} {path}`" for path in paths for method in paths[path]}
    assert {each for each in operations if each not in TEXT} == set()
