"""The data sets of the plans beside the ordinary imports: folds, parts, labels of other kinds."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from models.preprocessing import Preprocessing
from training.config.backbone import BackboneConfig
from training.data.canonical import CanonicalDataset
from training.data.importers.listing import ImportOptions
from training.evidence.derived import Derived, drawn_files, imported, native_multi, part_of
from training.evidence.self_labels import classifier, self_labelled

FOLDS = range(5)
LEAST_SHARE, LEAST_PAINTINGS = 0.3, 30
"""A WikiArt emotion holds from this share of viewers on, and counts if it does this often."""

PERCENTS = (10, 30)
"""Parts of the pretext corpora, in percent of their training images."""

SCENES, CAPTIONS, PAIRS = "miniplaces", "flickr8k", "flickr8k-anp"
_SEED = 0
_CLASSIFIER_SIDE = 224
Say = Callable[[str], None]


def prepare(
    source: Path,
    datasets: Path,
    root: Path,
    *,
    backbone: BackboneConfig,
    like: Preprocessing,
    say: Say,
) -> None:
    """Make below `root` what is missing, from the archives in `source` and from `datasets`.

    `like` says how the backbone's weights expect an image to be normalised.
    """
    for fold in FOLDS:
        say(str(fold_of_emotion6(source, root, fold)))
        say(str(fold_of_wikiart(source, root, fold)))
    for percent in PERCENTS:
        _parts(datasets, root, percent, say)
    _self_labelled(datasets, root, backbone=backbone, like=like, say=say)


def self_labelled_name(backbone: BackboneConfig) -> str:
    """Name of the data set that plain continuation trains on."""
    return f"self-labelled-{backbone.name}"


def fold_of_emotion6(source: Path, root: Path, fold: int) -> Path:
    """Emotion6 with one of its folds as the test part; where it is."""
    destination = root / f"emotion6-fold{fold}"
    if not destination.exists():
        options = ImportOptions(
            test_fold=fold,
            terms="Academic research only; image copyright remains with the original owners.",
        )
        title = f"Emotion6, fold {fold}"
        imported("emotion6", source / "emotion6.zip", destination, title=title, options=options)
    return destination


def fold_of_wikiart(source: Path, root: Path, fold: int) -> Path:
    """WikiArt Emotions with its native labels; the import itself has the shares alone."""
    name = f"wikiart-multi-fold{fold}"
    if not (root / name).exists():
        with tempfile.TemporaryDirectory() as temporary:
            shares = Path(temporary) / "shares"
            options = ImportOptions(test_fold=fold, terms="Research only; do not redistribute.")
            archive = source / "wikiart_emotions.zip"
            title = "WikiArt Emotions"
            imported("wikiart_emotions", archive, shares, title=title, options=options)
            dataset = CanonicalDataset.open(shares)
            derived = native_multi(dataset, name, at_least=LEAST_SHARE, images=LEAST_PAINTINGS)
            derived.make(root, f"WikiArt Emotions, native labels, fold {fold}")
    return root / name


def _parts(datasets: Path, root: Path, percent: int, say: Say) -> None:
    """A part of each pretext corpus; that of the pairs is what the captions' part has of them."""
    if all((root / f"{name}-{percent}").exists() for name in (SCENES, CAPTIONS, PAIRS)):
        return
    opened = {n: CanonicalDataset.open(datasets / n) for n in (SCENES, CAPTIONS, PAIRS)}
    files = {
        name: drawn_files(opened[name], fraction=percent / 100, seed=_SEED)
        for name in (SCENES, CAPTIONS)
    }
    files[PAIRS] = files[CAPTIONS]
    for name, dataset in opened.items():
        part = part_of(dataset, f"{name}-{percent}", files=files[name])
        _make(part, root, f"{dataset.name}, {percent} % of its training images", say)


def _self_labelled(
    datasets: Path, root: Path, *, backbone: BackboneConfig, like: Preprocessing, say: Say
) -> None:
    name = self_labelled_name(backbone)
    if (root / name).exists() or backbone.weights.source == "random":
        return
    corpora = [CanonicalDataset.open(datasets / corpus) for corpus in (SCENES, CAPTIONS)]
    spec = Preprocessing(size=_CLASSIFIER_SIDE, mean=like.mean, std=like.std)
    derived = self_labelled(corpora, classifier(backbone), name, spec=spec)
    _make(derived, root, f"Pretext images as {backbone.name} sees them", say)


def _make(derived: Derived, root: Path, title: str, say: Say) -> None:
    if not (root / derived.name).exists():
        derived.make(root, title)
    say(str(root / derived.name))
