"""`sentiscope models`: what is in the registry, without a server."""

import json
from pathlib import Path
from typing import Annotated

import typer

from sentiscope.output import say, told

app = typer.Typer(no_args_is_help=True)
RootOption = Annotated[
    Path,
    typer.Option("--root", envvar="SENTISCOPE_MODELS_ROOT", help="Root of the writable registry."),
]
ReferenceArgument = Annotated[str, typer.Argument(help="name, name@version or name@alias.")]
_ROOT = Path("var/models")


@app.command("list")
def list_models(root: RootOption = _ROOT) -> None:
    """Every model with its versions and aliases."""
    from models.errors import ModelError
    from models.registry import Registry

    registry = Registry(root)
    with told(ModelError):
        for name in registry.names():
            aliases = ", ".join(f"{a} = {v}" for a, v in sorted(registry.aliases(name).items()))
            say(f"{name}: versions {', '.join(registry.versions(name))}; {aliases or 'no alias'}")


@app.command()
def show(reference: ReferenceArgument, root: RootOption = _ROOT) -> None:
    """The card of `name`, `name@version` or `name@alias`; the bundle is verified first."""
    from models.errors import ModelError
    from models.registry import Registry

    with told(ModelError):
        say(Registry(root).open(reference).card())


@app.command()
def manifest(reference: ReferenceArgument, root: RootOption = _ROOT) -> None:
    """The manifest of a bundle as JSON."""
    from models.errors import ModelError
    from models.registry import Registry

    with told(ModelError):
        found = Registry(root).open(reference).manifest
        say(json.dumps(found.model_dump(mode="json"), indent=2))


@app.command()
def promote(
    name: Annotated[str, typer.Argument(help="Model.")],
    version: Annotated[str, typer.Argument(help="Version to use from now on.")],
    alias: Annotated[str, typer.Option(help="Alias to move.")] = "production",
    root: RootOption = _ROOT,
) -> None:
    """Point an alias to a version; a running server follows at once."""
    from models.errors import ModelError
    from models.registry import Registry

    with told(ModelError):
        Registry(root).set_alias(name, alias, version=version)
        say(f"{name}@{alias} is version {version}")
