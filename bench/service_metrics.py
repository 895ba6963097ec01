"""Do a model's figures hold through the service, and for photos of other shapes and sizes?

    python -m bench.service_metrics --url http://127.0.0.1:8000 --dataset fi --kinds single

sends a data set's test images to a running service and scores its answers with the metrics of the
card. Without --url the model answers here, by the parts the service is made of; with --unsquash
SEED images are stretched to random shapes and sizes first. Exit status 1 where a figure is further
from the card's than --within; no status is given for stretched images.
"""

import argparse
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from bench.unsquash import unsquashed
from models.labels import LabelKind
from models.manifest import Evaluation, Manifest, Output
from models.registry import Registry
from sentiscope.client import Answer, Client, FailedPrediction, Prediction
from sentiscope.local import LocalModel
from sentiscope.service.prediction import Score
from training.config.datasets import DatasetConfig
from training.data.canonical import Split
from training.data.labelled import Labelled, labelled_samples, open_datasets
from training.evaluation import Predictions, judge
from training.evidence.measured import Figure, Measured
from training.provenance import code_version

_BATCH_SIZE = 8
"""Few enough images for a busy service to answer within its limit of time."""


class NotAnswered(Exception):
    """An image of the data set was refused."""


def answers(arguments: argparse.Namespace, images: Iterable[bytes]) -> Iterator[Answer]:
    """What the service, or the model here, says of each image."""
    if arguments.url:
        with Client(arguments.url) as client:
            yield from client.predict_each(images, batch_size=_BATCH_SIZE, model=arguments.model)
    else:
        local = LocalModel.open(arguments.model, root=arguments.models)
        yield from map(local.predict, images)


def manifest_of(arguments: argparse.Namespace) -> Manifest:
    """The manifest of the model that answers."""
    if not arguments.url:
        return Registry(arguments.models).open(arguments.model).manifest
    with Client(arguments.url) as client:
        name, _, selector = arguments.model.partition("@")
        model = client.models.get(name)
        version = model.aliases.get(selector or "production", selector)
        document = client.models.manifest(name, version)
        return Manifest.model_validate({k: v for k, v in document.items() if k != "digest"})


def measured(
    given: Sequence[Answer], samples: Sequence[Labelled], heads: Sequence[Output]
) -> dict[LabelKind, dict[str, float]]:
    """Every metric of every output, from the answers to the samples."""
    found = {}
    for head in heads:
        rows = [place for place, sample in enumerate(samples) if head.kind in sample.targets]
        scores = np.array([_row(given[place], head) for place in rows])
        targets = np.array([samples[place].targets[head.kind] for place in rows])
        single = head.kind is LabelKind.SINGLE
        found[head.kind] = judge(
            head.kind,
            Predictions(scores, targets.astype(np.int64) if single else targets),
            labels=head.labels,
            thresholds=None if head.thresholds is None else np.asarray(head.thresholds),
        )
    return found


def beside(
    found: Mapping[LabelKind, Mapping[str, float]], evaluations: Iterable[Evaluation], dataset: str
) -> list[Figure]:
    """The metrics that the card has too, for each graph that it has them for."""
    return [
        Figure(
            output=each.output,
            metric=metric,
            measured=value,
            precision=str(each.precision),
            card=each.metrics[metric],
        )
        for each in evaluations
        if each.dataset == dataset and each.split == Split.TEST and each.output in found
        for metric, value in found[each.output].items()
        if metric in each.metrics
    ]


def agrees(figures: Sequence[Figure], *, within: float) -> bool:
    """Whether all figures are near those of one graph; larger ones by their share of the card's."""
    graphs: dict[str, list[Figure]] = {}
    for figure in figures:
        graphs.setdefault(figure.precision, []).append(figure)
    return any(
        all(abs(each.difference) <= within * max(1.0, abs(each.card)) for each in of_graph)
        for of_graph in graphs.values()
    )


def main() -> int:
    """Print the table; the exit status says whether the figures agree."""
    arguments = _arguments()
    config = DatasetConfig(
        name=arguments.dataset, kinds=arguments.kinds, multi_at_least=arguments.multi_at_least
    )
    ((_, dataset),) = opened = open_datasets([config], arguments.datasets)
    samples = labelled_samples(opened, Split.TEST)
    manifest = manifest_of(arguments)
    heads = [head for kind in arguments.kinds if (head := manifest.output(kind))]
    given = list(answers(arguments, _images(samples, arguments.unsquash)))
    figures = beside(measured(given, samples, heads), manifest.evaluations, dataset.name)
    found = Measured(
        model=f"{manifest.name}@{manifest.version}",
        dataset=dataset.name,
        images=len(samples),
        through_service=bool(arguments.url),
        stretched=arguments.unsquash,
        code_version=code_version(),
        figures=tuple(figures),
    )
    _show(found)
    if arguments.keep:
        found.write(arguments.keep)
    return int(arguments.unsquash is None and not agrees(figures, within=arguments.within))


def _show(found: Measured) -> None:
    print(f"{found.model}, {found.images} images of {found.dataset}")
    for each in found.figures:
        print(
            f"{each.output:12} {each.metric:24} {each.measured:8.4f}   card ({each.precision}) "
            f"{each.card:8.4f} {each.difference:+8.4f}"
        )
    if not found.figures:
        print("the card has no figures of this data set's test split")


def _images(samples: Iterable[Labelled], seed: int | None) -> Iterator[bytes]:
    for place, each in enumerate(samples):
        content = each.dataset.read_image(each.sample)
        rng = None if seed is None else np.random.default_rng((seed, place))
        yield content if rng is None else unsquashed(content, rng)


def _row(answer: Answer, head: Output) -> list[float]:
    """The scores of one output in the order of the model's labels; raises NotAnswered."""
    if isinstance(answer, FailedPrediction):
        raise NotAnswered(f"{answer.source}: {answer.problem.title}")
    by_label = {each.label: each.score for each in _scores(answer, head.kind)}
    return [by_label[name] for name in head.labels.names]


def _scores(answer: Prediction, kind: LabelKind) -> Sequence[Score]:
    said = {
        LabelKind.SINGLE: answer.single,
        LabelKind.MULTI: answer.multi,
        LabelKind.DISTRIBUTION: answer.distribution,
    }[kind]
    return () if said is None else said.scores


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--url", help="running service; its key, if any, in SENTISCOPE_API_KEY")
    parser.add_argument("--model", default="default")
    parser.add_argument("--models", type=Path, default=Path("var/models"), help="without --url")
    parser.add_argument("--datasets", type=Path, default=Path("var/datasets"))
    parser.add_argument("--dataset", default="fi")
    parser.add_argument("--kinds", type=LabelKind, nargs="+", default=[LabelKind.SINGLE])
    parser.add_argument("--multi-at-least", type=float, help="derive multi labels from shares")
    parser.add_argument("--unsquash", type=int, metavar="SEED")
    parser.add_argument("--within", type=float, default=0.005)
    parser.add_argument("--keep", type=Path, metavar="FILE", help="keep the figures as JSON")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
