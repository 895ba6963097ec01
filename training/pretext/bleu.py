"""BLEU of captions, by sacrebleu; it is imported when it is asked for."""

from collections.abc import Sequence

from training.errors import TrainingError
from training.pretext.vocabulary import words_of

ORDERS = (1, 2, 3, 4)


class NoReference(TrainingError):
    """There is no caption to compare with."""


def corpus_bleu(captions: Sequence[str], references: Sequence[Sequence[str]]) -> dict[str, float]:
    """`bleu_1` to `bleu_4` in [0, 1] of one caption an image against all references of the image.

    Papineni et al., *BLEU*, ACL 2002: over the whole corpus, not smoothed, the brevity penalty by
    the reference of the closest length. Words are those of our own tokeniser on both sides.
    """
    from sacrebleu.metrics.bleu import BLEU

    if not captions or not all(references):
        raise NoReference(
            f"{len(captions)} captions, {sum(map(bool, references))} of {len(references)} images "
            "with a reference; expected at least one image, and a reference for each"
        )
    said = [_spaced(caption) for caption in captions]
    most = max(map(len, references))
    # sacrebleu wants as many references everywhere; one that is repeated changes nothing
    rows = [[*map(_spaced, own), *[_spaced(own[0])] * (most - len(own))] for own in references]
    streams = [list(stream) for stream in zip(*rows, strict=True)]
    scores = {}
    for order in ORDERS:
        metric = BLEU(tokenize="none", smooth_method="none", max_ngram_order=order, force=True)
        scores[f"bleu_{order}"] = metric.corpus_score(said, streams).score / 100
    return scores


def _spaced(caption: str) -> str:
    return " ".join(words_of(caption))
