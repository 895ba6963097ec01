"""SentiBank / VSO (Borth et al., MM 2013): a folder for each adjective-noun pair."""

from dataclasses import replace

from models.labels import LabelKind, LabelSet
from training.data.anp_list import AnpList, read_anp_list
from training.data.importers.class_folder import import_class_folder
from training.data.importers.listing import BadLayout, BadOption, ImportOptions, Listing
from training.data.source import Source


def import_sentibank(source: Source, options: ImportOptions) -> Listing:
    """The listing of SentiBank; the list of pairs, where it is there, gives order and polarity."""
    file = find_anp_list(source)
    if file is None:
        return import_class_folder(source, options)
    if options.labels is not None:
        raise BadOption(f"given labels, but {file} gives their order: leave one of them out")
    pairs = read_anp_list(source.read(file), file=file)
    listing = import_class_folder(source, options)
    folders = listing.label_sets[LabelKind.SINGLE].names
    unknown = [name for name in folders if name not in pairs.pairs]
    if unknown:
        raise BadLayout(f"unexpected class folders {', '.join(unknown)}; expected pairs of {file}")
    names = tuple(pair for pair in pairs.pairs if pair in folders)
    return replace(
        listing,
        label_sets={LabelKind.SINGLE: polarised(names, pairs)},
        ignored=tuple(name for name in listing.ignored if name != file),
    )


def find_anp_list(source: Source) -> str | None:
    """The list of pairs, a file such as `3244ANPs.txt`; none: there is none."""
    found = [name for name in source.names() if name.endswith("ANPs.txt")]
    if len(found) > 1:
        raise BadLayout(f"{source.description} has the lists {', '.join(found)}; keep one")
    return found[0] if found else None


def polarised(names: tuple[str, ...], pairs: AnpList) -> LabelSet:
    """Pairs as a label set, with the polarity that the list gives."""
    return LabelSet(names=names, polarity=tuple(pairs.polarity(name) for name in names))
