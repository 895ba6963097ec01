"""`python -m training RUN_DIR` runs the recipe of RUN_DIR/config.json, or goes on with it."""

import argparse
import os
import sys
from pathlib import Path

from models.errors import ModelError
from models.registry import SHIPPED
from training.config.supervision import FENCED, STOPPED
from training.errors import TrainingError
from training.fence import Fence, Fenced
from training.supervised import die_with_parent, print_into_the_void, stand_back, stop_with


def main() -> int:
    """Exit status: 0 finished, 75 stopped and resumable, 76 fenced off, 1 failed; says why."""
    arguments = _arguments()
    if arguments.supervised:
        _be_supervised()
    # PyTorch takes seconds to import, in which the supervisor may die.
    from training.launch import launch
    from training.run import RunFolder
    from training.stopping import Stopped

    run = RunFolder(arguments.run, fence=Fence.of(arguments.run, os.environ))
    try:
        launch(run, datasets_root=arguments.datasets, shipped_root=arguments.shipped)
    except Stopped as stopped:
        print(stopped, file=sys.stderr)  # noqa: T201
        return STOPPED
    except Fenced as fenced:
        print(f"error: {fenced}", file=sys.stderr)  # noqa: T201
        return FENCED
    except (ModelError, TrainingError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    parser.add_argument("run", type=Path, help="run folder with a config.json")
    parser.add_argument(
        "--datasets", type=Path, default=Path("var/datasets"), help="folder of canonical data sets"
    )
    parser.add_argument(
        "--shipped", type=Path, default=SHIPPED, help="folder of the models that came with the code"
    )
    parser.add_argument(
        "--supervised", action="store_true", help="stop, as on SIGTERM, when stdin is closed"
    )
    return parser.parse_args()


def _be_supervised() -> None:
    if int(os.environ.get("WORLD_SIZE", 1)) > 1:
        die_with_parent()  # torchrun gave this process a group that its supervisor does not know
    stand_back()
    print_into_the_void()
    stop_with(sys.stdin.fileno())


if __name__ == "__main__":
    raise SystemExit(main())
