"""The command line: each command is thin, and loads only what it needs."""

import typer

from sentiscope.commands import (
    caption,
    datasets,
    jobs,
    keys,
    models,
    predict,
    recipes,
    run,
    serve,
    served_datasets,
    worker,
)

app = typer.Typer(
    name="sentiscope",
    help="Tells what an image makes people feel.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command("run")(run.run)
app.command("serve")(serve.serve)
app.command("worker")(worker.worker)
app.command("predict")(predict.predict)
app.command("train")(recipes.train)
app.command("evaluate")(recipes.evaluate)
app.command("export")(recipes.export)
app.command("caption")(caption.caption)
app.add_typer(models.app, name="models", help="Models, versions and aliases.")
app.add_typer(keys.app, name="keys", help="API keys of the service.")
app.add_typer(jobs.app, name="jobs", help="Jobs of a running service.")
app.add_typer(datasets.app, name="datasets", help="Canonical data sets.")
datasets.app.command("upload")(served_datasets.upload)
datasets.app.command("show")(served_datasets.show)
datasets.app.command("delete")(served_datasets.delete)


def main() -> None:
    """Entry point of the console script."""
    app()
