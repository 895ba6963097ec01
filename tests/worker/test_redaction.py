"""What clients are told names no folder of the host."""

import json
import sys
import tempfile
from pathlib import Path

import pytest

from worker.redaction import Redaction
from worker.settings import JobSettings

REDACTION = Redaction.of(
    JobSettings(
        jobs_root=Path("/srv/jobs"),
        datasets_root=Path("/srv/jobs/sets"),
        models_root=Path("/srv/models"),
        weights_roots=(Path("/"),),
    )
)


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("/srv/jobs/0123/log.txt is full", "0123/log.txt is full"),
        ("no card in /srv/jobs/sets/fi", "no card in fi"),
        ("no room in '/srv/models': 3 bytes", "no room in 'models': 3 bytes"),
        ("/srv/models and /srv/jobs.", "models and jobs."),
        ("/srv/models-old/x and /srv/models.bak", "/srv/models-old/x and /srv/models.bak"),
        (f"{Path.cwd()}/var/x", "var/x"),
        ("1/2 of it", "1/2 of it"),
        ('File "/srv/models/x.py", line 3', 'File "x.py", line 3'),
        (r'{"said": "gone:\n/srv/models/x"}', r'{"said": "gone:\nx"}'),
        ("see https://example.org/srv/models/x", "see https://example.org/srv/models/x"),
        ("from ../srv/models/x", "from ../srv/models/x"),
        (f"{json.__file__}:3", f"{Path(json.__file__).relative_to(sys.base_prefix)}:3"),
        (f"{pytest.__file__}:3", f"{Path(pytest.__file__).relative_to(sys.prefix)}:3"),
        (f"{tempfile.gettempdir()}/a {Path.home()}/b", "a b"),
    ],
)
def test_folders_are_left_out_of_texts(told: str, shown: str) -> None:
    assert REDACTION.text(told) == shown


def test_an_events_texts_are_without_folders_and_the_rest_stays() -> None:
    event = {"event": "failed", "message": "/srv/jobs/x", "count": 3, "none": None}
    assert REDACTION.event(event) == {**event, "message": "x"}
