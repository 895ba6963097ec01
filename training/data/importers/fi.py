"""FI (You et al., AAAI 2016): class folders of Mikels' eight emotions."""

from models.labels import MIKELS
from training.data.importers.class_folder import import_class_folder
from training.data.importers.listing import BadOption, ImportOptions, Listing
from training.data.source import Source


def import_fi(source: Source, options: ImportOptions) -> Listing:
    """The listing of FI, its classes in the order of MIKELS."""
    if options.labels not in (None, MIKELS.names):
        raise BadOption(
            f"given labels {', '.join(options.labels)} for fi, whose order is fixed: "
            f"{', '.join(MIKELS.names)}; leave labels out, or import it as class_folder"
        )
    return import_class_folder(source, options.model_copy(update={"labels": MIKELS.names}))
