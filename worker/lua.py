"""The scripts that change what is stored: each runs in Redis as one indivisible step."""

from pathlib import Path
from typing import Any, cast

import redis

_FOLDER = Path(__file__).parent / "scripts"
_PRELUDE = "prelude"


class Scripts:
    """Every script of worker/scripts, for keys that start with `prefix`.

    Their keys are made inside, from the prefix: they need one Redis, not a cluster.
    """

    def __init__(self, client: redis.Redis, prefix: str) -> None:
        prelude = (_FOLDER / f"{_PRELUDE}.lua").read_text(encoding="utf-8")
        self._prefix = prefix
        self._scripts = {
            file.stem: client.register_script(prelude + file.read_text(encoding="utf-8"))
            for file in _FOLDER.glob("*.lua")
            if file.stem != _PRELUDE
        }

    def run(self, name: str, *arguments: str | int) -> list[Any]:
        """What the script `name` answers."""
        return cast(list[Any], self._scripts[name](args=[self._prefix, *arguments]))
