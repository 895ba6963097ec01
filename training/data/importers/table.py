"""The formats that can be imported, by name."""

from collections.abc import Mapping

from training.config.importing import ImportFormat
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
from training.data.importers.imagefolder import import_imagefolder
from training.data.importers.ldl import import_ldl
from training.data.importers.listing import Importer
from training.data.importers.scenes import import_miniplaces, import_places365
from training.data.importers.sentibank import import_sentibank
from training.data.importers.twitter import import_twitter
from training.data.importers.wikiart_emotions import import_wikiart_emotions

IMPORTERS: Mapping[str, Importer] = {
    ImportFormat.CLASS_FOLDER: import_class_folder,
    ImportFormat.IMAGEFOLDER: import_imagefolder,
    ImportFormat.FI: import_fi,
    ImportFormat.EMOTIONROI: import_emotionroi,
    ImportFormat.TWITTER: import_twitter,
    ImportFormat.ARTPHOTO: import_artphoto,
    ImportFormat.ABSTRACT: import_abstract,
    ImportFormat.EMOTION6: import_emotion6,
    ImportFormat.LDL: import_ldl,
    ImportFormat.EMOTIC: import_emotic,
    ImportFormat.EMOSET: import_emoset,
    ImportFormat.WEBEMO: import_webemo,
    ImportFormat.WIKIART_EMOTIONS: import_wikiart_emotions,
    ImportFormat.ARTEMIS: import_artemis,
    ImportFormat.SENTIBANK: import_sentibank,
    ImportFormat.PLACES365: import_places365,
    ImportFormat.MINIPLACES: import_miniplaces,
    ImportFormat.FLICKR8K: import_flickr8k,
    ImportFormat.ANP_MINED: import_anp_mined,
    ImportFormat.CANONICAL: import_canonical,
}
