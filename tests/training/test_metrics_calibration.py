"""Reliability bins and the expected calibration error, by hand."""

import numpy as np
import pytest

from training.metrics.calibration import BINS, calibration
from training.metrics.checks import NotAProbability, ShapeMismatch


def test_the_error_is_the_gap_weighted_by_cases() -> None:
    found = calibration(np.array([0.95, 0.97, 0.99, 0.5]), np.array([1, 0, 1, 0.5]))
    low, high = found.bins
    assert (low.cases, low.confidence, low.accuracy) == (1, 0.5, 0.5)
    assert high.cases == 3
    assert high.accuracy == pytest.approx(2 / 3)
    assert high.confidence == pytest.approx(0.97)
    assert found.error == pytest.approx(3 / 4 * (0.97 - 2 / 3))


def test_ends_of_the_scale_are_in_a_bin_and_a_bins_upper_end_is_its_own() -> None:
    stated = np.array([0.0, 1 / BINS, 1.0])
    found = calibration(stated, np.array([0.0, 0.0, 1.0]))
    assert [each.cases for each in found.bins] == [2, 1]


def test_outcomes_have_to_be_shares_and_as_many_as_statements() -> None:
    with pytest.raises(NotAProbability):
        calibration(np.array([0.5]), np.array([2.0]))
    with pytest.raises(ShapeMismatch):
        calibration(np.array([0.5]), np.array([1.0, 0.0]))
