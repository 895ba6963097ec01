"""Whether probabilities are what they say they are: reliability bins and their error."""

import numpy as np

from models.manifest import Bin, Calibration
from training.metrics.checks import Float64s, Floats, check_probabilities, check_same_shape

BINS = 15
"""Of equal width, as in Guo et al. 2017."""


def calibration(confidence: Floats, outcome: Floats) -> Calibration:
    """Bins and expected calibration error of N stated probabilities and of what came of them.

    Both in [0, 1]: an outcome is 0 or 1, or a share.
    ECE = sum_b n_b / N |mean confidence_b - mean outcome_b|, lower is better (Guo et al., "On
    Calibration of Modern Neural Networks", ICML 2017, equation 3). A bin is open below and closed
    above; one without a case is left out.
    """
    stated, came = _column(confidence), _column(outcome)
    check_same_shape(came, stated)
    member = np.clip(np.ceil(stated * BINS).astype(int) - 1, 0, BINS - 1)  # N
    bins = tuple(
        Bin(
            cases=int(inside.sum()),
            confidence=float(stated[inside].mean()),
            accuracy=float(came[inside].mean()),
        )
        for inside in (member == number for number in range(BINS))
        if inside.any()
    )
    gaps = sum(each.cases * abs(each.confidence - each.accuracy) for each in bins)
    return Calibration(bins=bins, error=gaps / len(stated))


def _column(values: Floats) -> Float64s:
    return check_probabilities(np.reshape(values, (-1, 1)))[:, 0].clip(0, 1)
