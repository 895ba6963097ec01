"""The pages of docs/reference are the code's, and nothing that is there is left unsaid."""

import re

import pytest

from app.measures import MEASURES
from app.settings import Settings
from sentiscope.reference.pages import FOLDER, PAGES, ROOT
from sentiscope.reference.problems import known_problems
from sentiscope.reference.program import Command, commands
from sentiscope.reference.remedies import REMEDIES
from sentiscope.reference.schema import Schemas
from tests.app.job_service import JobService
from worker.jobs import JOB_CONFIG
from worker.settings import JobSettings

_VARIABLE = re.compile(r"\b(?:SENTISCOPE|OTEL|ORT|CUDA)_[A-Z][A-Z_]+[A-Z]\b")
_CODE = ("app", "models", "sentiscope", "training", "worker")


@pytest.mark.parametrize("name", PAGES)
def test_page_is_what_the_code_says(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == PAGES[name](), "run `make reference`"


def test_folder_holds_nothing_else() -> None:
    assert {file.name for file in FOLDER.iterdir()} == set(PAGES)


def test_every_field_of_a_configuration_says_what_it_is() -> None:
    schemas = Schemas(JOB_CONFIG.json_schema()["$defs"])
    fields = [
        (name, field, each)
        for name, schema in schemas.defined.items()
        for field, each in schema.get("properties", {}).items()
    ]
    assert fields
    assert [(n, field) for n, field, each in fields if not schemas.description(each)] == []


@pytest.mark.parametrize("kind", [Settings, JobSettings])
def test_setting_says_what_it_is(kind: type[Settings | JobSettings]) -> None:
    assert [name for name, field in kind.model_fields.items() if not field.description] == []


def test_every_variable_that_the_code_names_is_documented() -> None:
    text = "".join(file.read_text() for part in _CODE for file in (ROOT / part).rglob("*.py"))
    page = (FOLDER / "settings.md").read_text()
    assert set(_VARIABLE.findall(text)) - set(_VARIABLE.findall(page)) == set()


@pytest.mark.parametrize("command", commands(), ids=lambda command: command.path)
def test_command_and_its_parameters_say_what_they_are(command: Command) -> None:
    assert command.help
    assert [each.name for each in command.parameters if not each.help] == []


def test_every_problem_says_what_to_do_and_no_other_does() -> None:
    assert {name for _, name, _ in known_problems()} == set(REMEDIES)


def test_metrics_of_a_service_are_those_declared(service: JobService) -> None:
    told = service.client.get("/metrics").text
    found = re.findall(r"^# TYPE (\S+) (\S+)$", told, re.MULTILINE)
    names = {name.removesuffix("_total"): kind for name, kind in found if "_created" not in name}
    assert names == {each.name: each.kind.value for each in MEASURES}
