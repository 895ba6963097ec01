"""About how long the rest of a plan takes, from images a second and the sizes of the data sets."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from training.config.pretraining import PretrainConfig
from training.data.canonical import Split, read_card
from training.data.columns import BadDataset
from training.evidence.experiment import Cell, Experiment
from training.evidence.plan import Method

_HOUR_S = 3600


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that is left to do; hours where data set and rate are known."""

    name: str
    runs: int
    hours: float | None


def left_to_do(experiment: Experiment, cells: Iterable[Cell]) -> list[Item]:
    """The pre-trainings and the cells that have no result yet, in the order they are run in."""
    items: list[Item] = []
    begun: set[str] = set()
    for cell in cells:
        if experiment.result_file(cell).exists():
            continue
        for start in experiment.row(cell).starts:
            if start in experiment.plan.pretraining and start not in begun:
                begun.add(start)
                items.extend(_pretraining(experiment, start))
        items.append(_cell(experiment, cell))
    return items


def _pretraining(experiment: Experiment, name: str) -> Iterable[Item]:
    """A pre-training, unless it has ended."""
    if (experiment.pretraining_folder(name) / "results.json").exists():
        return
    spec = experiment.plan.pretraining[name]
    config = experiment.pretraining_config(name)
    if isinstance(config, PretrainConfig):
        batches = sum(task.batch_size for task in config.tasks)
        steps = config.steps_per_epoch
        images = None if steps is None else steps * batches * config.epochs
        yield _item(experiment, f"pretraining/{name}", images, rate=config.step, runs=1)
        return
    sizes = [_training_images(spec.root / each.name) for each in config.datasets]
    known = None if None in sizes else sum(size or 0 for size in sizes) * config.epochs
    yield _item(experiment, f"pretraining/{name}", known, rate=Method.FINETUNE, runs=1)


def _cell(experiment: Experiment, cell: Cell) -> Item:
    data, method = experiment.data(cell), experiment.row(cell).method
    size = _training_images(data.root / experiment.dataset(cell))
    tunes = experiment.tuning_cell(cell) == cell
    runs, epochs = int(tunes), 1  # a probe is the same for every seed
    if method is not Method.PROBE:
        runs = len(experiment.profile.candidates) if tunes else 1
        folders = {s: experiment.pretraining_folder(s) for s in experiment.row(cell).starts}
        candidate = next(iter(experiment.profile.candidates))
        epochs = experiment.cell_config(cell, candidate, folders).epochs
    images = None if size is None else size * epochs * runs
    return _item(experiment, str(cell.path), images, rate=method, runs=runs)


def _item(experiment: Experiment, name: str, images: int | None, *, rate: str, runs: int) -> Item:
    found = experiment.profile.images_per_second.get(rate)
    return Item(name, runs, images / found / _HOUR_S if images is not None and found else None)


def _training_images(root: Path) -> int | None:
    try:
        return read_card(root).counts.get(Split.TRAIN, 0)
    except BadDataset:
        return None


def table(items: list[Item]) -> str:
    """What is left, a line each, and the sum of what can be estimated."""
    lines = [f"{each.name:44} {each.runs} runs, {_told(each.hours)}" for each in items]
    known = [each.hours for each in items if each.hours is not None]
    unknown = len(items) - len(known)
    rest = f", and {unknown} that cannot be estimated: data set or rate missing" if unknown else ""
    return "\n".join([*lines, f"{len(items)} to do, about {sum(known):.1f} h{rest}"])


def _told(hours: float | None) -> str:
    return "      ?" if hours is None else f"{hours:6.2f} h"
