"""Adjective-noun pairs: the published list, SentiBank's folders, and pairs out of captions."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from models.labels import LabelKind, Polarity
from tests.training.data.layouts import Files, listed, pictures, text, write_folder, write_zip
from tests.training.data.miniatures import ANP_LIST, MINIATURES, captioned
from training.data.anp_list import read_anp_list
from training.data.anp_mining import COLOURS, Vocabulary, one_pair_each, singulars
from training.data.canonical import Split
from training.data.importers.anp_mined import import_anp_mined
from training.data.importers.listing import BadLayout, BadOption, ImportOptions
from training.data.rows import BadRow
from training.data.source import open_source

WORDS = Vocabulary.of(["wet", "little"], ["dog", "men", "baby", "glass", "bus", "box", "hat"])


def test_the_list_is_read_without_its_sample() -> None:
    pairs = read_anp_list(ANP_LIST, file="ANPs.txt")
    assert pairs.adjectives == {"wet": -1.0, "happy": 1.5}
    assert [*pairs.pairs] == ["wet_dog", "wet_street", "happy_dog", "happy_men"]
    assert pairs.pairs["wet_dog"] == -1.09
    assert pairs.nouns() == {"dog", "street", "men"}


@pytest.mark.parametrize(
    ("pair", "polarity"),
    [
        ("wet_dog", Polarity.NEGATIVE),
        ("happy_dog", Polarity.POSITIVE),
        ("happy_men", Polarity.NEUTRAL),
        ("happy_street", Polarity.POSITIVE),
        ("black_dog", Polarity.NEUTRAL),
    ],
)
def test_a_pair_has_its_own_sentiment_else_that_of_its_adjective(
    pair: str, polarity: Polarity
) -> None:
    assert read_anp_list(ANP_LIST, file="ANPs.txt").polarity(pair) is polarity


@pytest.mark.parametrize(
    ("line", "fact"),
    [
        ("\twet_dog [sentiment: -1.09] [#imgs: 3]", "given 'wet_dog' again"),
        (
            "\thappy_cat [sentiment: 1.09] [#imgs: 3]",
            "given pair 'happy_cat'; expected one with wet",
        ),
        ("\twet_cat [sentiment: low] [#imgs: 3]", "expected '1. old"),
        ("wet_cat", "expected '1. old"),
        ("2. wet [sentiment: -1.09] [#images: 3]", "given 'wet' again"),
    ],
)
def test_a_bad_line_of_the_list_is_an_error_with_its_line(line: str, fact: str) -> None:
    lines = [*ANP_LIST.decode().splitlines()[:4], line]
    with pytest.raises(BadRow, match=f"ANPs.txt, line 5: .*{fact}".replace(".", r"\.", 1)):
        read_anp_list(text(lines), file="ANPs.txt")


@pytest.mark.parametrize(
    ("caption", "pairs"),
    [
        ("A wet dog runs.", {"wet_dog"}),
        ("Wet dogs and a little baby", {"wet_dog", "little_baby"}),
        ("two little babies", {"little_baby"}),
        ("a black dog, a grey dog", {"black_dog", "gray_dog"}),
        ("little men and a little man", {"little_man"}),
        ("wet glasses", {"wet_glass"}),
        ("little boxes , red buses", {"little_box", "red_bus"}),
        ("a wet , dog", set()),
        ("the dog is wet", set()),
        ("a wet brown dog", {"brown_dog"}),
        ("a wet doghouse", set()),
        ("a wet cat", set()),
        ("", set()),
    ],
)
def test_a_pair_is_an_adjective_right_before_a_noun(caption: str, pairs: set[str]) -> None:
    assert WORDS.pairs([caption]) == pairs


def test_all_the_captions_of_an_image_count() -> None:
    assert WORDS.pairs(["A wet dog.", "A little dog."]) == {"wet_dog", "little_dog"}


def test_colours_are_adjectives_of_every_vocabulary() -> None:
    assert set(COLOURS) <= WORDS.adjectives


@pytest.mark.parametrize(
    ("noun", "folded"),
    [
        ("dogs", ("dog",)),
        ("babies", ("baby", "babie")),
        ("boxes", ("boxe", "box")),
        ("horses", ("horse", "hors")),
        ("women", ("woman",)),
        ("glass", ()),
        ("dog", ()),
    ],
)
def test_plurals_are_folded_by_rules_that_are_written_down(
    noun: str, folded: tuple[str, ...]
) -> None:
    assert singulars(noun) == folded


def found(*pairs: Sequence[str]) -> dict[str, frozenset[str]]:
    """Images 0, 1, 2, ... with these pairs."""
    return {str(n): frozenset(of_image) for n, of_image in enumerate(pairs)}


def test_an_image_gets_its_rarest_pair() -> None:
    chosen = one_pair_each(found(["a"], ["a"], ["a", "b"], ["b"]), min_images=2)
    assert chosen == {"0": "a", "1": "a", "2": "b", "3": "b"}


def test_equally_rare_pairs_are_told_apart_by_name() -> None:
    chosen = one_pair_each(found(["a", "b"], ["b", "a"]), min_images=1)
    assert set(chosen.values()) == {"a"}


def test_pairs_with_too_few_images_are_not_kept() -> None:
    assert one_pair_each(found(["a"], ["a"], ["b"]), min_images=2) == {"0": "a", "1": "a"}
    assert one_pair_each(found(["a"]), min_images=2) == {}


def test_a_pair_that_lost_its_images_to_rarer_ones_is_given_up_and_they_go_on() -> None:
    images = found(["a", "b"], ["a", "b"], ["a"], ["a", "c"], ["c"], ["c", "b"], ["c"])
    chosen = one_pair_each(images, min_images=3)
    assert Counter(chosen.values()) == {"b": 3, "c": 3}
    assert "2" not in chosen


def test_every_kept_pair_has_enough_images_of_its_own() -> None:
    images = {f"{n}": frozenset({f"p{n % 7}", f"p{n % 5}", f"p{n % 3}"}) for n in range(200)}
    sizes = Counter(one_pair_each(images, min_images=30).values())
    assert sizes
    assert min(sizes.values()) >= 30


def test_captions_make_a_data_set_of_pairs_with_the_splits_they_had(tmp_path: Path) -> None:
    listing = listed("anp_mined", tmp_path, captioned())
    labels = listing.label_sets[LabelKind.SINGLE]
    assert labels.names == ("happy_dog", "wet_dog")
    assert labels.polarity == (Polarity.POSITIVE, Polarity.NEGATIVE)
    assert Counter((r.split, r.label) for r in listing.records) == {
        (split, label): count
        for split, count in ((Split.TRAIN, 9), (Split.VAL, 3), (Split.TEST, 3))
        for label in labels.names
    }
    assert listing.records[0].captions == ("A wet dog runs.",)
    assert listing.ignored == ()
    assert listing.remarks[0].startswith("30 of 30 images have one of 2 pairs")


def test_the_list_may_lie_apart_from_the_captions(tmp_path: Path) -> None:
    files = captioned()
    write_folder(tmp_path, {"3244ANPs.txt": files.pop("3244ANPs.txt"), "nouns.txt": b"street\n"})
    archive = write_zip(tmp_path / "set.zip", files)
    source = open_source([archive, tmp_path / "3244ANPs.txt", tmp_path / "nouns.txt"])
    assert len(import_anp_mined(source, ImportOptions()).records) == 30


def with_captions(caption: str, further: Files) -> Files:
    files = captioned() | further
    return files | {
        "metadata.csv": files["metadata.csv"].replace(b"Two happy dogs.", caption.encode())
    }


def test_a_list_of_further_nouns_widens_the_vocabulary(tmp_path: Path) -> None:
    files = with_captions("A red boat.", {})
    narrow = listed("anp_mined", tmp_path / "a", files)
    assert narrow.label_sets[LabelKind.SINGLE].names == ("wet_dog",)
    assert narrow.remarks[0].startswith("15 of 30 images have one of 1 pairs; the others are left")
    wide = listed("anp_mined", tmp_path / "b", files | {"nouns.txt": b"boat\nship\n"})
    assert wide.label_sets[LabelKind.SINGLE].names == ("red_boat", "wet_dog")


def test_other_labels_of_the_captioned_set_are_left_behind(tmp_path: Path) -> None:
    files = captioned()
    lines = files["metadata.csv"].decode().splitlines()
    rows = [f"{lines[0]},label,joy", *(f"{line},{n % 2},1" for n, line in enumerate(lines[1:]))]
    del files["dataset.json"]
    listing = listed("anp_mined", tmp_path, files | {"metadata.csv": text(rows)})
    assert set(listing.label_sets) == {LabelKind.SINGLE}
    assert {r.label for r in listing.records} == {"happy_dog", "wet_dog"}
    assert {r.shares for r in listing.records} == {None}


def test_no_pair_with_enough_images_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(BadLayout, match="no pair has 16 images; expected one: lower min_images"):
        listed("anp_mined", tmp_path, captioned(), min_images=16)


def test_a_missing_list_is_an_error(tmp_path: Path) -> None:
    files = captioned()
    del files["3244ANPs.txt"]
    with pytest.raises(BadLayout, match="has no list of pairs"):
        listed("anp_mined", tmp_path, files)


def test_pairs_are_found_not_given(tmp_path: Path) -> None:
    with pytest.raises(BadOption, match="which finds them in captions"):
        listed("anp_mined", tmp_path, captioned(), labels=["wet_dog"])


def test_folders_of_sentibank_are_ordered_as_the_list_is(tmp_path: Path) -> None:
    listing = listed("sentibank", tmp_path, MINIATURES["sentibank"])
    labels = listing.label_sets[LabelKind.SINGLE]
    assert labels.names == ("wet_dog", "happy_dog")
    assert labels.polarity == (Polarity.NEGATIVE, Polarity.POSITIVE)
    assert listing.ignored == ()


def test_without_the_list_folders_of_sentibank_are_sorted(tmp_path: Path) -> None:
    files = pictures(["wet_dog/1.jpg", "happy_dog/1.jpg", "wet_dog/2.jpg", "happy_dog/2.jpg"])
    labels = listed("sentibank", tmp_path, files).label_sets[LabelKind.SINGLE]
    assert (labels.names, labels.polarity) == (("happy_dog", "wet_dog"), None)


def test_a_folder_that_the_list_lacks_is_named(tmp_path: Path) -> None:
    files = MINIATURES["sentibank"] | pictures(["train/wet_cat/1.jpg"])
    with pytest.raises(BadLayout, match=r"class folders wet_cat; expected pairs of 3244ANPs\.txt"):
        listed("sentibank", tmp_path, files)


def test_an_order_beside_the_list_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadOption, match="leave one of them out"):
        listed("sentibank", tmp_path, MINIATURES["sentibank"], labels=["happy_dog", "wet_dog"])


def test_two_lists_are_an_error(tmp_path: Path) -> None:
    files = MINIATURES["sentibank"] | {"otherANPs.txt": ANP_LIST}
    with pytest.raises(BadLayout, match=r"the lists 3244ANPs\.txt, otherANPs\.txt; keep one"):
        listed("sentibank", tmp_path, files)
