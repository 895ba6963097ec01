"""What the Hugging Face `imagefolder` loader reads, as it lies: class folders, or metadata files.

https://huggingface.co/docs/datasets/image_dataset
"""

from dataclasses import replace

from training.data.columns import ROWS
from training.data.importers.canonical import import_canonical
from training.data.importers.class_folder import import_class_folder
from training.data.importers.listing import ImportOptions, Listing, is_image
from training.data.source import Source, SubfolderSource, common_folder


def import_imagefolder(source: Source, options: ImportOptions) -> Listing:
    """The listing of the metadata where there is some, else of the folders' names.

    As in that loader, folders are no labels beside metadata, and a README may lie beside the data.
    """
    files = [name for name in source.names() if is_image(name) or _is_metadata(name)]
    read = import_canonical if any(map(_is_metadata, files)) else import_class_folder
    folder = common_folder(files)
    if folder is None:
        return read(source, options)
    listing = read(SubfolderSource(source, folder), options)
    records = tuple(replace(r, file_name=f"{folder}/{r.file_name}") for r in listing.records)
    ignored = [name for name in source.names() if not name.startswith(f"{folder}/")]
    ignored += [f"{folder}/{name}" for name in listing.ignored]
    return replace(listing, records=records, ignored=tuple(ignored))


def _is_metadata(name: str) -> bool:
    return name.rpartition("/")[2] in ROWS
