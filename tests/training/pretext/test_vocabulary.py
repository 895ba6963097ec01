"""Vocabularies: the same captions give the same words in the same order, with their frequencies."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from training.pretext.vocabulary import (
    END,
    SPECIAL,
    UNKNOWN,
    NoWords,
    Vocabulary,
    words_of,
)

CAPTIONS = ("a cat and a dog", "A dog sleeps.", "the cat, the dog")


def vocabulary(
    captions: Sequence[str] = CAPTIONS, *, min_count: int = 2, max_words: int = 30
) -> Vocabulary:
    return Vocabulary.of(captions, min_count=min_count, max_words=max_words)


@pytest.mark.parametrize(
    ("caption", "words"),
    [
        ("The SKY's on fire!", ("the", "sky's", "on", "fire")),
        ("don\N{RIGHT SINGLE QUOTATION MARK}t", ("don't",)),
        ("'quoted' well-lit, 3 o'clock", ("quoted", "well", "lit", "3", "o'clock")),
        ("cafe\N{COMBINING ACUTE ACCENT}", ("caf\N{LATIN SMALL LETTER E WITH ACUTE}",)),
        ("snake_case <end> \n\t tab", ("snake", "case", "end", "tab")),
        ("... !?", ()),
        ("", ()),
    ],
)
def test_words_are_lower_case_and_keep_their_apostrophes(
    caption: str, words: tuple[str, ...]
) -> None:
    assert words_of(caption) == words


@given(st.text())
def test_the_words_of_words_are_the_same_words(caption: str) -> None:
    words = words_of(caption)
    assert words_of(" ".join(words)) == words
    assert not set(words) & set(SPECIAL)


def test_words_stand_by_count_and_then_by_alphabet() -> None:
    assert vocabulary().entries == (*SPECIAL, "a", "dog", "cat", "the")
    assert vocabulary(min_count=1).entries[-2:] == ("and", "sleeps")


def test_the_order_of_the_captions_does_not_matter() -> None:
    assert vocabulary(CAPTIONS[::-1]) == vocabulary()


def test_ends_and_rare_words_are_counted() -> None:
    assert vocabulary().counts == (0, 0, 3, 2, 3, 3, 2, 2)


def test_what_is_cut_is_neither_counted_nor_ended() -> None:
    cut = vocabulary(["a b c", "a b"], min_count=1, max_words=2)
    assert cut.entries == (*SPECIAL, "a", "b")
    assert cut.counts == (0, 0, 1, 0, 2, 2)


def test_a_vocabulary_survives_json() -> None:
    assert Vocabulary.model_validate_json(vocabulary().model_dump_json()) == vocabulary()


@pytest.mark.parametrize(
    ("entries", "counts"),
    [
        (("a", *SPECIAL), (0,) * 5),
        ((*SPECIAL, "a", "a"), (0,) * 6),
        ((*SPECIAL, "a"), (0,) * 4),
    ],
)
def test_a_vocabulary_without_an_order_is_refused(
    entries: tuple[str, ...], counts: tuple[int, ...]
) -> None:
    with pytest.raises(ValidationError, match="expected"):
        Vocabulary(entries=entries, counts=counts)


def test_captions_without_a_frequent_word_are_refused() -> None:
    with pytest.raises(NoWords, match=r"3 different words .* none of them 2 times"):
        vocabulary(["a b c", "..."])


def test_words_are_encoded_with_their_end_and_decoded() -> None:
    words = vocabulary()
    encoded = words.encode("The DOG barks", max_words=3)
    assert encoded == (7, 5, UNKNOWN, END)
    assert words.decode(encoded) == "the dog <unknown>"
    assert words.decode((1, 7, 5, END, 4, 0)) == "the dog"


def test_a_cut_caption_has_no_end() -> None:
    assert vocabulary().encode("the dog barks", max_words=2) == (7, 5)


@given(st.lists(st.sampled_from(["a", "dog", "cat", "the"]), max_size=8))
def test_decoding_undoes_encoding(words: list[str]) -> None:
    caption = " ".join(words)
    assert vocabulary().decode(vocabulary().encode(caption, max_words=8)) == caption


def test_log_frequencies_are_worked_out_by_hand() -> None:
    # counts 0 0 3 2 3 3 2 2: what was never said counts as said once, 17 in all
    expected = [math.log(count / 17) for count in (1, 1, 3, 2, 3, 3, 2, 2)]
    np.testing.assert_allclose(vocabulary().log_frequencies(), expected, rtol=1e-6)


def test_log_frequencies_are_finite_where_nothing_is_unknown_or_ends() -> None:
    logs = vocabulary(["a b"], min_count=1, max_words=1).log_frequencies()
    assert np.isfinite(logs).all()
    assert np.exp(logs).sum() == pytest.approx(1)
