"""What a program that is kept running prints."""

import os
import sys
from pathlib import Path

from sentiscope.children import Child, Program
from tests.processes import until

_LIMIT = 4 * 1024 * 1024
_TALKER = (
    "import itertools\nfor number in itertools.count():\n    print(f'{number:0999}', flush=True)"
)


def test_a_long_log_is_put_aside_while_its_program_goes_on(tmp_path: Path) -> None:
    log, older = tmp_path / "talker.log", tmp_path / "talker.1.log"
    command = (sys.executable, "-c", _TALKER)
    talker = Child(Program("talker", command, log, os.environ, stop_s=1.0))
    talker.start()
    try:
        until(lambda: log.stat().st_size > _LIMIT or None, timeout_s=60)
        assert talker.look() is None
        assert older.stat().st_size > _LIMIT
        until(lambda: log.stat().st_size > 10_000 or None, timeout_s=60)
        assert talker.is_running
    finally:
        talker.kill()
    assert int(log.read_bytes().splitlines()[-2]) > int(older.read_bytes().splitlines()[-2])
