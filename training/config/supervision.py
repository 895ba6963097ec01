"""What a supervisor and the training process it starts have agreed on: names, and exit statuses."""

CONFIG_FILE = "config.json"
EVENTS_FILE = "events.jsonl"
METRICS_FILE = "metrics.jsonl"
RESULTS_FILE = "results.json"
LOCK_FILE = ".lock"
"""Locked by the process that works in a run folder, for as long as it lives."""

FENCE_FILE = ".fence"
"""Holds the token of the attempt that may write in a run folder."""

FENCE_VARIABLE = "SENTISCOPE_FENCE"
"""Environment variable that tells a training process its token."""

STOPPED = 75
"""Exit status of a run that was asked to stop and can go on (EX_TEMPFAIL)."""

FENCED = 76
"""Exit status of a run whose folder was handed to another process; it wrote nothing more."""
