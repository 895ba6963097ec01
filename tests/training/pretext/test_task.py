"""Figures of parts become figures of the whole."""

import math

import pytest

from training.pretext.task import Figure, Perplexity, overall


def test_a_figure_is_the_mean_over_all_parts_whatever_their_sizes() -> None:
    assert overall({"top1": [Figure(1, 4), Figure(2, 2)]}) == {"top1": 0.5}


def test_a_perplexity_is_e_to_the_mean_and_not_the_mean_of_perplexities() -> None:
    parts = [Perplexity(3 * math.log(2), 3), Perplexity(math.log(32), 1)]
    # four words, of chances 1/2, 1/2, 1/2 and 1/32: the fourth root of 256
    assert overall({"perplexity": parts}) == pytest.approx({"perplexity": 4})


def test_a_figure_of_nothing_is_left_out() -> None:
    found = overall(
        {"top1": [Figure(0, 0), Perplexity(0, 0)], "top5": [Figure(0, 0), Figure(1, 1)]}
    )
    assert found == {"top5": 1}
