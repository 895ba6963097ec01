"""A miniature of every public layout that is imported, as files by name."""

import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import h5py
import numpy as np
from scipy.io import savemat

from models.labels import MIKELS
from tests.training.data.layouts import KEYWORDS, Files, emotion6, fi, pictures, text
from training.data.importers.fixed_classes import WEBEMO

ANP_LIST = text(
    [
        "0. sample [sentiment: 0.00] [#images: 0]",
        "\t0 [sentiment: -2.00] [#imgs: 0]",
        "1. wet [sentiment: -1.00] [#images: 18,487]",
        "\twet_dog [sentiment: -1.09] [#imgs: 312]",
        "\twet_street [sentiment: -0.50] [#imgs: 12]",
        "2. happy [sentiment: 1.50] [#images: 2,120]",
        "\thappy_dog [sentiment: 1.91] [#imgs: 1,110]",
        "\thappy_men [sentiment: 0.00] [#imgs: 9]",
    ]
)
ABSTRACT_HEADER = "'','Amusement','Anger','Awe','Content','Disgust','Excitement','Fear','Sad'"
LDL_HEADER = (
    "images-name Amusement Awe Contentment Excitement Anger Disgust Fear Sadness"  # not MIKELS
)
LDL_ORDER = tuple(LDL_HEADER.lower().split()[1:])
EMOTIC_HEADER = (
    "Index,Folder,Filename,Image Size,BBox,Categorical_Labels,Continuous_Labels,Gender,Age"
)
ARTEMIS_HEADER = "art_style,painting,emotion,utterance,repetition"
WIKIART_NAMES = (
    "agreeableness",
    "anger",
    "anticipation",
    "arrogance",
    "disagreeableness",
    "disgust",
    "fear",
    "gratitude",
    "happiness",
    "humility",
    "love",
    "optimism",
    "pessimism",
    "regret",
    "sadness",
    "shame",
    "shyness",
    "surprise",
    "trust",
    "neutral",
)


def class_folders(classes: Sequence[str], *, top: str, splits: Sequence[str]) -> Files:
    """Two images of each class in each split."""
    names = [f"{split}/{name}/{n}.jpg" for split in splits for name in classes for n in range(2)]
    return pictures(f"{top}/{name}" for name in names)


def artphoto() -> Files:
    """ArtPhoto's flat folder, which says "sad" for sadness."""
    classes = [*(name for name in MIKELS.names if name != "sadness"), "sad"]
    return pictures(f"testImages_artphoto/{name}_{n:04}.jpg" for name in classes for n in range(3))


def abstract() -> Files:
    """Abstract's votes; the fourth painting has a tie."""
    votes = ["5,1,0,0,2,0,0,0", "0,0,0,0,0,0,1,9", "1,1,1,7,1,1,1,1", "2,3,3,0,0,0,0,0"]
    votes += votes[:1] * 2
    rows = [f"'abstract_{n:04}.jpg',{cells}" for n, cells in enumerate(votes)]
    return {
        "testImages_abstract/ABSTRACT_groundTruth.csv": text([ABSTRACT_HEADER, *rows]),
        **pictures(f"testImages_abstract/abstract_{n:04}.jpg" for n in range(6)),
    }


def ldl(rows: Sequence[str] = (), header: str = LDL_HEADER) -> Files:
    """Flickr_LDL's or Twitter_LDL's text: votes of eleven people."""
    rows = rows or [f"{n}.jpg 1 0 0 0 2 0 0 8" for n in range(1, 6)]
    return {
        "Flickr_LDL/ground_truth.txt": text([header, *rows]),
        **pictures(f"Flickr_LDL/images/{row.split()[0]}" for row in rows),
    }


def ldl_matlab(**changes: Any) -> Files:
    """The same as MATLAB 7.3 writes it: cells are references, arrays lie transposed."""
    names = [f"{n}.jpg" for n in range(1, 6)]
    votes = np.tile([1, 0, 0, 0, 2, 0, 0, 8], (5, 1))
    arrays = {"vote": votes, "train_ind": [[1], [2], [4]], "test_ind": [[3], [5]]} | changes
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        for name, value in arrays.items():
            file[name] = np.asarray(value, dtype=np.float64).T
        cells = [
            file.create_dataset(f"#refs#/{n}", data=np.array([[ord(c)] for c in name], np.uint16))
            for n, name in enumerate(names)
        ]
        references = file.create_dataset("imgname", (1, len(cells)), dtype=h5py.ref_dtype)
        references[0] = [cell.ref for cell in cells]
    return {"config.mat": content.getvalue(), **pictures(f"images/{name}" for name in names)}


def emotic() -> Files:
    """EMOTIC's tables: the first training image shows two people."""
    first = 'mscoco/images,a.jpg,"[640, 480]","[1, 2, 3, 4]"'
    people = {
        "train": [
            f"0,{first},\"['Peace', 'Affection']\",\"[5, 3, 8]\",Male,Adult",
            f"1,{first},\"['Doubt/Confusion', 'Peace']\",\"[5, 3, 8]\",Female,Kid",
            "2,ade20k/images,a.jpg,x,x,['Anger'],x,Male,Adult",
        ],
        "val": ["0,framesdb/images,b.jpg,x,x,['Fear'],x,Male,Adult"],
        "test": ["0,emodb_small/images,c.jpg,x,x,['Yearning'],x,Male,Adult"],
    }
    tables = {f"emotic_pre/{s}.csv": text([EMOTIC_HEADER, *rows]) for s, rows in people.items()}
    return tables | _emotic_images()


def _emotic_images() -> Files:
    folders = ("mscoco/images/a", "ade20k/images/a", "framesdb/images/b", "emodb_small/images/c")
    return pictures(f"emotic/{name}.jpg" for name in folders)


def emotic_matlab(*names: str) -> Files:
    """The same as a classic MATLAB file: one annotator in train, a combination in val and test."""
    first = names or ("Peace", "Affection")
    train = [
        _image("mscoco/images", "a.jpg", [_trained(first), _trained(("Doubt/Confusion", "Peace"))]),
        _image("ade20k/images", "a.jpg", [_trained(("Anger",))]),
    ]
    val = [_image("framesdb/images", "b.jpg", [{"combined_categories": _cell(("Fear",))}])]
    test = [_image("emodb_small/images", "c.jpg", [{"combined_categories": _cell(("Yearning",))}])]
    content = io.BytesIO()
    savemat(content, {"train": _array(train), "val": _array(val), "test": _array(test)})
    return {"Annotations/Annotations.mat": content.getvalue()} | _emotic_images()


def _image(folder: str, file: str, people: list[dict[str, Any]]) -> dict[str, Any]:
    return {"filename": file, "folder": folder, "person": _array(people)}


def _trained(names: Sequence[str]) -> dict[str, Any]:
    return {"annotations_categories": {"categories": _cell(names)}, "gender": "Male"}


def _cell(names: Sequence[str]) -> np.ndarray[Any, Any]:
    return np.array(names, dtype=object).reshape(1, -1)


def _array(structures: list[dict[str, Any]]) -> np.ndarray[Any, Any]:
    array = np.empty((1, len(structures)), dtype=[(key, object) for key in structures[0]])
    for n, structure in enumerate(structures):
        array[0, n] = tuple(structure.values())
    return array


def emoset() -> Files:
    """EmoSet's lists; some copies have a fourth item in a row."""
    files: Files = {"EmoSet/info.json": b"{}"}
    for split in ("train", "val", "test"):
        names = [f"{label}/{label}_{split}{n}" for label in MIKELS.names[:3] for n in range(2)]
        files |= pictures(f"EmoSet/image/{name}.jpg" for name in names)
        rows = [
            [name.split("/")[0], f"image/{name}.jpg", f"annotation/{name}.json", {}][: 3 + n % 2]
            for n, name in enumerate(names)
        ]
        files[f"EmoSet/{split}.json"] = json.dumps(rows).encode()
    paths = [name for name in files if name.endswith(".jpg")]
    return files | pictures(paths)


def places365() -> Files:
    """Places365-standard: classes by number, training images by class, val images flat."""
    train = [f"/a/airfield/{n:08}.jpg" for n in range(3)] + [f"/b/bar/{n:08}.jpg" for n in range(3)]
    val = [f"Places365_val_{n:08}.jpg" for n in range(2)]
    train_rows = [f"{name} {n // 3}" for n, name in enumerate(train)]
    return {
        "places/categories_places365.txt": text(["/a/airfield 0", "/b/bar 1"]),
        "places/places365_train_standard.txt": text(train_rows),
        "places/places365_val.txt": text(f"{name} {n}" for n, name in enumerate(val)),
        **pictures(
            [f"places/data_256{name}" for name in train] + [f"places/val_256/{n}" for n in val]
        ),
    }


def miniplaces() -> Files:
    """MiniPlaces: the same with paths relative to images/."""
    train = [f"train/a/abbey/{n:08}.jpg 0" for n in range(3)]
    train += [f"train/s/subway_station/platform/{n:08}.jpg 1" for n in range(3)]
    val = ["val/00000001.jpg 1", "val/00000002.jpg 0"]
    return {
        "MiniPlaces/categories.txt": text(["/a/abbey 0", "/s/subway_station/platform 1"]),
        "MiniPlaces/train.txt": text(train),
        "MiniPlaces/val.txt": text(val),
        **pictures(f"MiniPlaces/images/{row.split()[0]}" for row in (*train, *val)),
    }


def wikiart_emotions() -> Files:
    """WikiArt Emotions as packed: shares in a table with folds."""
    rows = [f"{n:024x}.jpg,{n % 5},,0.25,{','.join(['0'] * 18)},0.5" for n in range(10)]
    header = f"file_name,fold,artemis_top_emotion,{','.join(WIKIART_NAMES)}"
    return {
        "WikiArtEmotions/labels.csv": text([header, *rows]),
        **pictures(f"WikiArtEmotions/images/{n:024x}.jpg" for n in range(10)),
    }


def wikiart_emotions_published() -> Files:
    """WikiArt Emotions as published: three blocks of shares, and images by ID."""
    blocks = ("Art (image+title)", "ImageOnly", "TitleOnly")
    header = ["ID", "Title", *(f"{block}: {name}" for block in blocks for name in WIKIART_NAMES)]
    shares = [*["1"] * 20, "0.25", *["0"] * 18, "0.5", *["1"] * 20]
    rows = [[f"{n:024x}", f'The "night {n}', *shares] for n in range(10)]
    return {
        "WikiArt-Emotions-All.tsv": text("\t".join(row) for row in (header, *rows)),
        **pictures(f"paintings/{n:024x}.jpg" for n in range(10)),
    }


def artemis() -> Files:
    """ArtEmis: several people at a painting, and a name whose accent the files lack."""
    rows = [
        ("Baroque", "a-man.st.-john(1)", "awe", "The light, it glows."),
        ("Baroque", "a-man.st.-john(1)", "awe", "So calm."),
        ("Baroque", "a-man.st.-john(1)", "something else", "It makes me think."),
        ("Cubism", "andré-l'hôte_port", "fear", "Sharp."),
        ("Cubism", "b", "anger", "Broken."),
        ("Cubism", "c", "awe", "So large."),
        ("Cubism", "d", "awe", "So small."),
    ]
    lines = [f'{style},{name},{emotion},"{said}",1' for style, name, emotion, said in rows]
    images = (
        "Baroque/a-man.st.-john(1)",
        "Cubism/andre-l'hote_port",
        *(f"Cubism/{c}" for c in "bcd"),
    )
    return {
        "artemis_dataset_release_v0.csv": text([ARTEMIS_HEADER, *lines]),
        **pictures(f"wikiart/{name}.jpg" for name in images),
    }


def flickr8k() -> Files:
    """Flickr8k: several captions an image, some with commas, quoted or not."""
    said = ("A dog runs .", '"A dog , brown , runs ."', "Dogs , they run .")
    names = [f"{n}_b08cb0e.jpg" for n in range(6)]
    splits = ("train", "train", "train", "train", "val", "test")
    rows = [f"{name},{caption}" for name in names for caption in said]
    pairs = zip(names, splits, strict=True)
    return {
        "Flickr8k/captions.txt": text(["image,caption", *rows]),
        "Flickr8k/splits.csv": text(["file_name,split", *(f"{n},{split}" for n, split in pairs)]),
        **pictures(f"Flickr8k/images/{name}" for name in names),
    }


def captioned() -> Files:
    """A canonical dataset with captions, and a list of pairs beside it."""
    said = ["A wet dog runs."] * 15 + ["Two happy dogs."] * 15
    splits = ["train", "train", "train", "val", "test"] * 6
    rows = [f"images/{n}.jpg,{s},{c}" for n, (s, c) in enumerate(zip(splits, said, strict=True))]
    return {
        "dataset.json": b'{"label_sets": {}}',
        "metadata.csv": text(["file_name,split,caption", *rows]),
        "3244ANPs.txt": ANP_LIST,
        **pictures(f"images/{n}.jpg" for n in range(30)),
    }


def canonical() -> Files:
    """A table of classes beside the images."""
    rows = [f"{n}.jpg,train,{'ab'[n % 2]}" for n in range(4)]
    table = text(["file_name,split,label", *rows])
    return pictures(f"{n}.jpg" for n in range(4)) | {"metadata.csv": table}


TRAIN_TEST = ("train", "test")
MINIATURES: Mapping[str, Files] = {
    "class_folder": class_folders("ab", top=".", splits=("train",)),
    "imagefolder": class_folders("ab", top="data", splits=("train", "test"))
    | {"README.md": b"# Two classes\n"},
    "fi": fi(1),
    "emotionroi": class_folders(KEYWORDS, top="EmotionROI", splits=TRAIN_TEST),
    "twitter": class_folders(("negative", "positive"), top="TwitterII", splits=TRAIN_TEST),
    "artphoto": artphoto(),
    "abstract": abstract(),
    "emotion6": emotion6(),
    "ldl": ldl(),
    "emotic": emotic(),
    "emoset": emoset(),
    "webemo": class_folders(tuple(map(str, range(len(WEBEMO)))), top="W", splits=("train",)),
    "wikiart_emotions": wikiart_emotions(),
    "artemis": artemis(),
    "sentibank": class_folders(("wet_dog", "happy_dog"), top=".", splits=("train",))
    | {"3244ANPs.txt": ANP_LIST},
    "places365": places365(),
    "miniplaces": miniplaces(),
    "flickr8k": flickr8k(),
    "anp_mined": captioned(),
    "canonical": canonical(),
}
"""One for each format; the options may stay as they are."""
