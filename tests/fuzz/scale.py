"""How much of the fuzzing is done: a part in every test run, all of it by `make fuzz`."""

import os

WHOLE = os.environ.get("FUZZ") == "whole"
EXAMPLES = 300 if WHOLE else 6
"""Requests of one operation."""

EVERY = 1 if WHOLE else 25
"""Of the damaged images each so manieth goes through the whole service; all through the decoder."""
