"""`python -m training RUN_DIR` runs the recipe of RUN_DIR/config.json, or goes on with it."""

import argparse
import sys
from pathlib import Path

from models.errors import ModelError
from training.errors import TrainingError
from training.launch import launch
from training.run import RunFolder
from training.stopping import Stopped

STOPPED = 75
"""Exit status of a run that was asked to stop and can go on (EX_TEMPFAIL)."""


def main() -> int:
    """Exit status: 0 finished, 75 stopped and resumable, 1 failed with the reason on stderr."""
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    parser.add_argument("run", type=Path, help="run folder with a config.json")
    parser.add_argument(
        "--datasets", type=Path, default=Path("var/datasets"), help="folder of canonical data sets"
    )
    arguments = parser.parse_args()
    try:
        launch(RunFolder(arguments.run), datasets_root=arguments.datasets)
    except Stopped as stopped:
        print(stopped, file=sys.stderr)  # noqa: T201
        return STOPPED
    except (ModelError, TrainingError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
