"""The formats that can be imported, by name."""

from collections.abc import Mapping

from training.data.importers.abstract import import_abstract
from training.data.importers.anp_mined import import_anp_mined
from training.data.importers.artemis import import_artemis
from training.data.importers.artphoto import import_artphoto
from training.data.importers.canonical import import_canonical
from training.data.importers.class_folder import import_class_folder
from training.data.importers.emoset import import_emoset
from training.data.importers.emotic import import_emotic
from training.data.importers.emotion6 import import_emotion6
from training.data.importers.fixed_classes import import_emotionroi, import_fi, import_webemo
from training.data.importers.flickr8k import import_flickr8k
from training.data.importers.ldl import import_ldl
from training.data.importers.listing import Importer
from training.data.importers.scenes import import_miniplaces, import_places365
from training.data.importers.sentibank import import_sentibank
from training.data.importers.twitter import import_twitter
from training.data.importers.wikiart_emotions import import_wikiart_emotions

IMPORTERS: Mapping[str, Importer] = {
    "class_folder": import_class_folder,
    "fi": import_fi,
    "emotionroi": import_emotionroi,
    "twitter": import_twitter,
    "artphoto": import_artphoto,
    "abstract": import_abstract,
    "emotion6": import_emotion6,
    "ldl": import_ldl,
    "emotic": import_emotic,
    "emoset": import_emoset,
    "webemo": import_webemo,
    "wikiart_emotions": import_wikiart_emotions,
    "artemis": import_artemis,
    "sentibank": import_sentibank,
    "places365": import_places365,
    "miniplaces": import_miniplaces,
    "flickr8k": import_flickr8k,
    "anp_mined": import_anp_mined,
    "canonical": import_canonical,
}
