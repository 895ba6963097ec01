"""`sentiscope keys`: API keys of the service, in a file of hashes."""

from pathlib import Path
from typing import Annotated

import typer

from sentiscope.output import fail, remark, say, told

app = typer.Typer(no_args_is_help=True)
FileOption = Annotated[
    Path, typer.Option("--file", envvar="SENTISCOPE_KEYS_FILE", help="File of the keys' hashes.")
]
_FILE = Path("var/keys.json")


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Who or what will use it.")],
    scope: Annotated[list[str], typer.Option(help="predict, jobs or admin; may be repeated.")],
    file: FileOption = _FILE,
) -> None:
    """Make a key and print it, this once."""
    from pydantic import ValidationError

    from app.errors import AppError
    from app.keys import Scope, create_key

    unknown = [each for each in scope if each not in list(Scope)]
    if unknown:
        fail(f"unknown scope {', '.join(unknown)}; known: {', '.join(Scope)}")
    is_first = not file.exists()
    try:
        with told(AppError, OSError):
            say(create_key(file, name, frozenset(map(Scope, scope))))
    except ValidationError as error:
        fail(f"{name!r} is no name for a key: {error.errors()[0]['msg']}")
    if is_first:
        remark(f"{file} was made: restart the service, from then on it demands keys")


@app.command("list")
def list_keys(file: FileOption = _FILE) -> None:
    """Names, scopes and dates; the keys themselves are kept nowhere."""
    from app.errors import AppError
    from app.keys import read_keys

    if not file.exists():
        remark(f"there is no {file}: the service runs without keys, for this machine alone")
        return
    with told(AppError):
        for key in read_keys(file):
            say(f"{key.name}: {', '.join(sorted(key.scopes))}; made {key.created_at:%Y-%m-%d}")


@app.command()
def revoke(
    name: Annotated[str, typer.Argument(help="Whose key it is.")], file: FileOption = _FILE
) -> None:
    """Remove a key; a running service refuses it at once."""
    from app.errors import AppError
    from app.keys import revoke_key

    with told(AppError, OSError):
        revoke_key(file, name)
