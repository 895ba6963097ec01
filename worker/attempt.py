"""One attempt at a job: its process from the start to its end, whoever wants it to end."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from models.registry import Registry
from training.config.downstream import AmalgamateConfig, FinetuneConfig
from training.config.importing import ImportConfig
from training.config.pipeline import PipelineConfig
from training.config.pretraining import PretrainConfig
from training.config.recipes import RecipeConfig
from worker.ending import Asked, Ending, Finished, Remains, Stopped, ending
from worker.errors import JobError
from worker.gpus import visible_gpus
from worker.holder import end_left_over, holder, is_left_over
from worker.import_sources import with_real_sources
from worker.job_folder import JobFolder
from worker.jobs import JobRecord
from worker.logs import JobLog
from worker.process import TrainingProcess, command, environment
from worker.redaction import Redaction
from worker.resolution import resolved
from worker.settings import JobSettings
from worker.store import Lease

_TRAININGS = (PretrainConfig, FinetuneConfig, AmalgamateConfig)
_LOOK_S = 0.1
_PAUSE_PATIENCE = 8
"""Times the grace that a pause may take: to lose nothing it waits for a long step to end."""

_LEFT_OVER_S = 15.0
"""For the process of an attempt whose supervisor died to see that, and to end."""

_KILLED_S = 5.0
"""For a process that was killed to be gone."""


class FolderBusy(JobError):
    """A process of an earlier attempt still works in the job's folder."""


class NotEnoughGpus(JobError):
    """The job asks for more GPUs than its worker sees."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one attempt is made of; `wanted` says why it should end, if it should."""

    lease: Lease
    record: JobRecord
    settings: JobSettings
    folder: JobFolder
    wanted: Callable[[], Asked | None]

    def run(self) -> Ending:
        """Work until the process has ended.

        Raises JobError (FolderBusy, Superseded, NotEnoughGpus, ...), ModelError and OSError.
        """
        self.folder.take(self.lease.token)
        asked = self._await_predecessor()
        if asked is not None:
            return Stopped(asked)
        results = self.folder.results()
        if results is not None:
            return Finished(results)  # an earlier attempt could not say so any more
        self.folder.write_config(self._config())
        return self._ran(processes=self._processes())

    def _ran(self, *, processes: int) -> Ending:
        begin = self.folder.told_bytes()
        with self._log() as log:
            with self._process(log, processes) as process:
                status, asked = self._watched(process)
            account = self.folder.account(begin)
            printed = tuple(log.recent)
        return ending(Remains(status, asked, account, self.folder.results(), printed))

    def _await_predecessor(self) -> Asked | None:
        """Wait for the process of an earlier attempt to end; or for a reason to end this one."""
        killed, deadline = False, time.monotonic() + _LEFT_OVER_S
        while self.folder.is_busy() or is_left_over(self.folder.path):
            asked = self.wanted()
            if asked is not None:
                return asked
            if time.monotonic() > deadline:
                if killed or not end_left_over(self.folder.path):
                    raise FolderBusy(f"{FolderBusy.__doc__} It did not end in {_LEFT_OVER_S:.0f} s")
                killed, deadline = True, time.monotonic() + _KILLED_S
            time.sleep(_LOOK_S)
        return None

    def _config(self) -> RecipeConfig:
        config = self.record.config
        assert not isinstance(config, PipelineConfig)  # a pipeline waits in no queue
        if isinstance(config, ImportConfig):
            return with_real_sources(config, self.record.id, self.settings)
        models = Registry(self.settings.models_root, self.settings.shipped_root)
        return resolved(
            config,
            jobs_root=self.settings.jobs_root,
            models=models,
            weights_roots=self.settings.weights_roots,
        )

    def _processes(self) -> int:
        """How many train together: recipes that do not train have one process."""
        config, asked = self.record.config, self.record.gpus
        if asked == 1 or not isinstance(config, _TRAININGS):
            return 1
        if config.compute.device != "cpu" and (visible := visible_gpus(os.environ)) < asked:
            raise NotEnoughGpus(
                f"the job asks for {asked} GPUs and its worker sees {visible}; ask for fewer, or "
                "start a worker that sees more (nvidia-smi, CUDA_VISIBLE_DEVICES)"
            )
        return asked

    @contextmanager
    def _log(self) -> Iterator[JobLog]:
        redaction = Redaction.of(self.settings)
        log = JobLog(self.folder.path, limit_bytes=self.settings.log_bytes, redaction=redaction)
        try:
            now = datetime.now(UTC).isoformat(timespec="seconds")
            log.say(f"--- {now}: attempt {self.record.attempts}, worker {self.lease.worker}")
            yield log
        finally:
            log.close()

    @contextmanager
    def _process(self, log: JobLog, processes: int) -> Iterator[TrainingProcess]:
        arguments = command(
            self.folder.path,
            datasets_root=self.settings.datasets_root,
            shipped_root=self.settings.shipped_root,
            processes=processes,
        )
        variables = environment(os.environ, token=self.lease.token)
        process = TrainingProcess(arguments, environment=variables, log=log)
        try:
            leader = holder(process.pid)
            if leader is not None:
                leader.write(self.folder.path)
            yield process
        finally:
            process.close()

    def _watched(self, process: TrainingProcess) -> tuple[int, Asked | None]:
        """The exit status, and why the process was asked to stop, if it was."""
        asked, since = None, 0.0
        while (status := process.wait(_LOOK_S)) is None:
            wanted = self.wanted() or asked
            if wanted is None:
                continue
            if asked is None:
                process.ask_to_stop()
                since = time.monotonic()
            asked = wanted
            if time.monotonic() - since > self._patience_s(asked):
                process.kill()
        return status, asked

    def _patience_s(self, asked: Asked) -> float:
        grace = self.settings.stop_grace_s
        return grace * _PAUSE_PATIENCE if asked is Asked.PAUSE else grace
