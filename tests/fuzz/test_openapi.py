"""Requests made from the service's own description: no 5xx, and every answer is as described."""

from pathlib import Path
from typing import Any

import schemathesis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from schemathesis import Case, CheckFunction
from schemathesis.specs.openapi.checks import positive_data_acceptance

from app.factory import create_app
from app.settings import Settings
from tests.fuzz.scale import EXAMPLES, WHOLE
from tests.fuzz.target import Target
from worker.settings import JobSettings

NOWHERE = Path("/nowhere")
NOT_SAID_BY_A_SCHEMA: list[CheckFunction] = [positive_data_acceptance]
"""Random bytes fit what is said of an image or an archive, and are none."""

API = schemathesis.openapi.from_dict(
    create_app(Settings(keys_file=NOWHERE), JobSettings(redis_url="unix:///nowhere")).openapi()
)
API.config.phases.examples.enabled = False  # they take no `named`


@API.given(named=st.booleans())
@API.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=not WHOLE,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_answers_are_as_described(target: Target, case: Case[Any], named: bool) -> None:
    if named:
        for name in case.path_parameters.keys() & target.known.keys():
            case.path_parameters[name] = target.known[name]
    case.call_and_validate(base_url=target.url, excluded_checks=NOT_SAID_BY_A_SCHEMA)
