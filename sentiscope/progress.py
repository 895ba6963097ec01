"""Progress bars on stderr, one a stage."""

from types import TracebackType
from typing import Any, Self


class ProgressBars:
    """Shows how far each stage is; closes its bars at the end."""

    def __init__(self) -> None:
        from tqdm import tqdm  # now, and not with half an import done: it may be missing

        self._new_bar: Any = tqdm
        self._bars: dict[str, Any] = {}

    def show(self, stage: str, done: int, total: int) -> None:
        """`done` of `total` files of `stage`."""
        if stage not in self._bars:
            self._bars[stage] = self._new_bar(total=total, desc=stage, unit="file")
        bar = self._bars[stage]
        bar.update(done - bar.n)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for bar in self._bars.values():
            bar.close()
