"""The formats that can be imported, by name."""

from collections.abc import Mapping

from training.data.importers.canonical import import_canonical
from training.data.importers.class_folder import import_class_folder
from training.data.importers.emotion6 import import_emotion6
from training.data.importers.fi import import_fi
from training.data.importers.listing import Importer

IMPORTERS: Mapping[str, Importer] = {
    "class_folder": import_class_folder,
    "fi": import_fi,
    "emotion6": import_emotion6,
    "canonical": import_canonical,
}
