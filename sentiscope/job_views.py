"""How a watched job is shown, on stderr: bars on a terminal, lines elsewhere."""

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn

from sentiscope.job_words import figures, place, remaining, sentence
from sentiscope.output import is_terminal, remark
from sentiscope.service.job import Event, Job

_LINE_EVERY_S = 10.0
_RUNNING = frozenset({"running", "pausing", "cancelling"})


class LineView:
    """A line an event, and every ten seconds one a running job."""

    def __init__(self) -> None:
        self._told_at = time.monotonic()

    def tell(self, event: Event) -> None:
        """See watching.View."""
        if line := sentence(event):
            remark(line)

    def show(self, job: Job, steps: tuple[Job, ...]) -> None:
        """See watching.View."""
        if time.monotonic() - self._told_at < _LINE_EVERY_S:
            return
        self._told_at = time.monotonic()
        for each in _running(job, steps):
            done = f"{100 * (each.progress.fraction or 0):.0f} %"
            parts = (done, place(each), remaining(each), figures(each.metrics))
            remark(f"{each.title}: {', '.join(filter(None, parts))}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        pass


class BarView:
    """A bar a running job, with its time left and latest figures; events are lines above."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.description:12}"),
            BarColumn(bar_width=24),
            TaskProgressColumn(),
            TextColumn("{task.fields[place]}"),
            TextColumn("{task.fields[left]}"),
            TextColumn("{task.fields[figures]}", style="dim"),
            console=console,
        )
        self._bars: dict[str, TaskID] = {}

    def tell(self, event: Event) -> None:
        """See watching.View."""
        if line := sentence(event):
            self._progress.console.print(escape(line), highlight=False)

    def show(self, job: Job, steps: tuple[Job, ...]) -> None:
        """See watching.View."""
        running = {each.id: each for each in _running(job, steps)}
        for job_id in self._bars.keys() - running.keys():
            self._progress.remove_task(self._bars.pop(job_id))
        for job_id, each in running.items():
            if job_id not in self._bars:
                self._bars[job_id] = self._progress.add_task(
                    escape(each.title), total=1.0, place="", left="", figures=""
                )
            self._progress.update(
                self._bars[job_id],
                completed=each.progress.fraction or 0.0,
                place=escape(place(each)),
                left=remaining(each),
                figures=escape(figures(each.metrics)),
            )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()


def fitting_view() -> LineView | BarView:
    """Bars where a person watches."""
    return BarView(Console(stderr=True)) if is_terminal() else LineView()


def _running(job: Job, steps: tuple[Job, ...]) -> list[Job]:
    """A pipeline is shown as those of its steps that run."""
    return [each for each in (steps or (job,)) if each.status in _RUNNING]
