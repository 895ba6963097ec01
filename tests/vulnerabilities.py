"""Looks the pinned dependencies up in OSV's database: `python -m tests.vulnerabilities`.

A known vulnerability is an error. A database that cannot be reached is none, and is told: what the
network does says nothing about the code.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

REQUIREMENTS = Path(__file__).parent.parent / "requirements"
PINS = tuple(REQUIREMENTS / name for name in ("dev.txt", "serve-gpu.txt", "uv.txt"))
"""Every dependency: the other files are parts of the first."""

DATABASE = "https://api.osv.dev/v1/query"
ACCEPTED: Mapping[str, str] = {}
"""Ids of vulnerabilities that do not concern us, and why not."""

_TIMEOUT_S = 10
_NETWORK = re.compile(r"requests\.exceptions\.|ServiceError|your network may be blocking")


class NotAudited(Exception):
    """The tool gave no result."""


class DatabaseAway(NotAudited):
    """The database cannot be reached."""


def main(pins: Sequence[Path] = PINS, *, database: str = DATABASE) -> int:
    """Audit files of pins and tell the result; 1 where a vulnerability is known."""
    try:
        found = [each for path in pins for each in _audited(path, database)]
    except DatabaseAway as error:
        _say(f"Audit SKIPPED: {database} cannot be reached: {error}")
        return 0
    except NotAudited as error:
        _say(f"Audit failed: {error}")
        return 1
    known = sorted(set(_vulnerabilities(found)))
    count = len({(each["name"], each["version"]) for each in found})
    _say(*known, f"Audit: {count} dependencies, {len(known)} known vulnerabilities")
    return 1 if known else 0


def _audited(pins: Path, database: str) -> list[Mapping[str, Any]]:
    """The dependencies in a file, each with what is known of it; raises NotAudited."""
    command = [*_command(database), "-r", str(pins)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.stdout:
        found: list[Mapping[str, Any]] = json.loads(done.stdout)["dependencies"]
        return [each for each in found if "version" in each]  # not those for other systems
    reason = (done.stderr.strip().splitlines() or ["it says nothing"])[-1][:200]
    raise DatabaseAway(reason) if _NETWORK.search(reason) else NotAudited(reason)


def _command(database: str) -> list[str]:
    service = f"-s osv --osv-url {database} --timeout {_TIMEOUT_S}"
    form = "-f json --desc off --progress-spinner off --disable-pip --require-hashes"
    accepted = [part for fault in ACCEPTED for part in ("--ignore-vuln", fault)]
    return [sys.executable, "-m", "pip_audit", *service.split(), *form.split(), *accepted]


def _vulnerabilities(dependencies: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for each in dependencies:
        for fault in each.get("vulns", ()):
            fixed = ", ".join(fault["fix_versions"]) or "no version yet"
            yield f"{each['name']} {each['version']}: {fault['id']}, mended in {fixed}"


def _say(*lines: str) -> None:
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main())
