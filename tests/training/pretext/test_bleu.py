"""BLEU: the library's, fed with our words and every reference there is."""

import math

import pytest

from training.pretext.bleu import NoReference, corpus_bleu


def test_clipped_precisions_and_brevity_are_worked_out_by_hand() -> None:
    captions = ["the the the the", "a b c"]
    references = [["the cat is on the mat", "there is the cat"], ["a b c d e"]]
    # words: 2 of "the" (the most in one reference) and 3, of 7; pairs: 0 and 2, of 5
    # closest references: 4 and 5 words, together 9, where 7 are said
    brevity = math.exp(1 - 9 / 7)
    found = corpus_bleu(captions, references)
    assert found["bleu_1"] == pytest.approx(brevity * 5 / 7)
    assert found["bleu_2"] == pytest.approx(brevity * math.sqrt(5 / 7 * 2 / 5))
    assert found["bleu_3"] == pytest.approx(brevity * (5 / 7 * 2 / 5 * 1 / 3) ** (1 / 3))
    assert found["bleu_4"] == 0


def test_a_caption_like_one_of_its_references_is_perfect() -> None:
    found = corpus_bleu(["The sky, on fire!"], [["nothing", "the SKY on fire"]])
    assert found == {f"bleu_{order}": pytest.approx(1) for order in (1, 2, 3, 4)}


def test_an_image_with_fewer_references_is_judged_by_its_own() -> None:
    few = corpus_bleu(["a b", "c d"], [["a x"], ["c y", "z d", "w w w"]])
    same = corpus_bleu(["a b", "c d"], [["a x"] * 3, ["c y", "z d", "w w w"]])
    assert few == same
    assert few["bleu_1"] == pytest.approx(3 / 4)


def test_nothing_said_is_worth_nothing() -> None:
    assert corpus_bleu([""], [["a b"]])["bleu_1"] == 0


@pytest.mark.parametrize(("captions", "references"), [([], []), (["a", "b"], [["a"], []])])
def test_nothing_to_compare_with_is_refused(
    captions: list[str], references: list[list[str]]
) -> None:
    with pytest.raises(NoReference, match="expected"):
        corpus_bleu(captions, references)
