"""`python -m training.evidence`: make data sets, run a plan, summarize, score a bundle, report."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from models.errors import ModelError
from training.config.supervision import STOPPED
from training.errors import TrainingError
from training.evidence.experiment import Experiment, Filter
from training.evidence.plan import read_plan, read_profile

EVIDENCE = Path("var/evidence")
KEPT = Path("docs/evidence")


def main(given: Sequence[str] | None = None) -> int:
    """Exit status: 0 done, 75 stopped and resumable, 1 failed; says why."""
    arguments = _parser().parse_args(given)
    command: Callable[[argparse.Namespace], None] = arguments.command
    # PyTorch takes seconds to import, which the usage need not wait for.
    from training.stopping import Stopped

    try:
        command(arguments)
    except Stopped as stopped:
        _complain(str(stopped))
        return STOPPED
    except (ModelError, TrainingError, OSError) as error:
        _complain(f"error: {error}")
        return 1
    return 0


def _prepare(arguments: argparse.Namespace) -> None:
    from training.evidence.datasets import prepare

    experiment = _experiment(arguments)
    prepare(
        arguments.source,
        arguments.datasets,
        EVIDENCE / "datasets",
        backbone=experiment.profile.backbone,
        like=experiment.normalisation(),
        say=_say,
    )


def _run(arguments: argparse.Namespace) -> None:
    experiment = _experiment(arguments)
    cells = experiment.cells(_filter(arguments))
    if arguments.dry_run:
        from training.evidence.hours import left_to_do, table

        _say(table(left_to_do(experiment, cells)))
        return
    from training.evidence.runner import Runner

    Runner(experiment, say=_say).run(cells)


def _summarize(arguments: argparse.Namespace) -> None:
    """Test every row, and put metrics files, logits and table where they are committed."""
    from training.evidence.kept import keep
    from training.evidence.summary import summarized

    experiment = _experiment(arguments)
    folder = _kept(arguments)
    summary = summarized(experiment)
    if not summary.entries:
        _say("no cell has been run yet")
        return
    keep(experiment, folder)
    file = folder / f"{Path(arguments.plan).stem}.json"
    summary.write(file)
    _say(f"{len(summary.entries)} entries in {file}")


def _restore(arguments: argparse.Namespace) -> None:
    from training.evidence.kept import restore

    _say(f"{restore(_experiment(arguments), _kept(arguments))} cells restored")


def _score(arguments: argparse.Namespace) -> None:
    """Score a bundle, and put its metrics file and photos where they are committed."""
    from training.config.presets import read_config
    from training.evidence.bundle_metrics import scored_bundle

    found = scored_bundle(
        read_config(arguments.config),
        runs=EVIDENCE / "bundles",
        datasets_root=arguments.datasets,
        kept=arguments.to,
    )
    for each in found.evaluations:
        figures = ", ".join(f"{name} {value:.4f}" for name, value in each.metrics.items())
        _say(f"{found.label} {each.precision}, {each.output}: {figures}\n  {each.protocol}")


def _report(arguments: argparse.Namespace) -> None:
    from training.evidence.report import write_report

    for file in write_report(arguments.evidence, arguments.page):
        _say(str(file))


def _pack(arguments: argparse.Namespace) -> None:
    from training.evidence.archive import pack

    count = pack(_experiment(arguments).folder, arguments.archive)
    size = arguments.archive.stat().st_size / 2**20
    _say(f"{count} files in {arguments.archive}, {size:.1f} MiB")


def _unpack(arguments: argparse.Namespace) -> None:
    from training.evidence.archive import unpack

    _say(f"{unpack(arguments.archive, _experiment(arguments).folder)} files added")


def _experiment(arguments: argparse.Namespace) -> Experiment:
    plan, profile = read_plan(arguments.plan), read_profile(arguments.profile)
    if arguments.baseline:
        plan = plan.against(arguments.baseline)
    folder = arguments.folder or EVIDENCE / Path(arguments.profile).stem
    return Experiment(plan, profile, folder, device=arguments.device)


def _kept(arguments: argparse.Namespace) -> Path:
    """Where the figures of the profile are committed."""
    return Path(arguments.kept, Path(arguments.profile).stem)


def _filter(arguments: argparse.Namespace) -> Filter:
    return Filter(arguments.rows, arguments.data, arguments.seeds, arguments.folds)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training.evidence", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    shared = _shared()

    prepare = commands.add_parser(
        "prepare", parents=[shared], help="make the data sets of the plans"
    )
    prepare.add_argument("--source", type=Path, default=Path("../shared/data"), help="the archives")
    prepare.add_argument("--datasets", type=Path, default=Path("var/datasets"))
    prepare.set_defaults(command=_prepare)

    run = commands.add_parser(
        "run", parents=[shared], help="run what is missing; Ctrl-C, and again"
    )
    run.add_argument("--rows", nargs="+", default=(), help="only these")
    run.add_argument("--data", nargs="+", default=(), help="only these")
    run.add_argument("--folds", nargs="+", type=int, default=(), help="only these")
    run.add_argument("--seeds", nargs="+", type=int, default=(), help="only these")
    run.add_argument("--dry-run", action="store_true", help="list what is left, with hours")
    run.set_defaults(command=_run)

    for name, option, command, told in (
        ("summarize", "--to", _summarize, "test the rows; keep figures"),
        ("restore", "--from", _restore, "take up kept cells, so that they are not run again"),
    ):
        each = commands.add_parser(name, parents=[shared], help=told)
        where = "where figures are committed"
        each.add_argument(option, dest="kept", type=Path, default=KEPT, help=where)
        each.set_defaults(command=command)

    score = commands.add_parser("score", help="score a bundle; keep its figures and photos")
    score.add_argument("config", type=Path, help="configuration of the recipe evaluate")
    score.add_argument("--datasets", type=Path, default=Path("var/datasets"))
    score.add_argument("--to", type=Path, default=KEPT, help="where figures are committed")
    score.set_defaults(command=_score)

    report = commands.add_parser("report", help="tables and plots from the kept figures")
    report.add_argument("--evidence", type=Path, default=KEPT)
    report.add_argument("--page", type=Path, default=Path("docs/results.md"))
    report.set_defaults(command=_report)

    for name, command, told in (
        ("pack", _pack, "metrics and predictions into one archive"),
        ("unpack", _unpack, "and out of it"),
    ):
        each = commands.add_parser(name, parents=[shared], help=told)
        each.add_argument("archive", type=Path, help="a .tar.xz file")
        each.set_defaults(command=command)
    return parser


def _shared() -> argparse.ArgumentParser:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument(
        "--plan", default="results", help="results, ablations, own_data, or a .yaml file"
    )
    shared.add_argument("--profile", default="cpu", help="cpu, gpu, ..., or a .yaml file")
    shared.add_argument("--folder", type=Path, help=f"default: {EVIDENCE}/<profile>")
    shared.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    shared.add_argument("--baseline", help="row to test against; default: the plan's")
    return shared


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


def _complain(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201


if __name__ == "__main__":
    raise SystemExit(main())
