"""Class folders whose classes and their order a data set fixes: FI, EmotionROI, WEBEmo."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from models.labels import MIKELS
from training.data.importers.class_folder import import_class_folder
from training.data.importers.listing import KEYWORDS, ImportOptions, Listing, refuse_labels
from training.data.source import Source

WEBEMO = (
    "affection",
    "cheerfullness",
    "confusion",
    "contentment",
    "disappointment",
    "disgust",
    "enthrallment",
    "envy",
    "exasperation",
    "gratitude",
    "horror",
    "irritabilty",
    "lust",
    "neglect",
    "nervousness",
    "optimism",
    "pride",
    "rage",
    "relief",
    "sadness",
    "shame",
    "suffering",
    "surprise",
    "sympathy",
    "zest",
)
"""Folder n holds the n-th of these; `cheerfullness` and `irritabilty` are misspelt as published."""


@dataclass(frozen=True, slots=True)
class FixedClasses:
    """Imports class folders whose labels and their order are fixed."""

    labels: tuple[str, ...]
    folders: Mapping[str, str] = field(default_factory=dict)
    """Labels of the folders that are not named after their label."""

    def __call__(self, source: Source, options: ImportOptions) -> Listing:
        refuse_labels(options, self.labels)
        fixed = options.model_copy(update={"labels": self.labels})
        return import_class_folder(source, fixed, labels_by_folder=self.folders)


import_fi = FixedClasses(MIKELS.names)
import_emotionroi = FixedClasses(KEYWORDS)
import_webemo = FixedClasses(WEBEMO, {str(number): name for number, name in enumerate(WEBEMO)})
