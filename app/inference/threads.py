"""Runs tasks on threads of the service's own process."""

import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from app.inference.task import Take, Task, settle_from_thread


class ThreadHands:
    """`count` threads."""

    def __init__(self, count: int) -> None:
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="inference")

    @property
    def are_there(self) -> bool:
        """Always."""
        return True

    def call(self, take: Take) -> None:
        """Take a task and run it, once a thread is free."""
        self._pool.submit(_run_next, take)

    def close(self) -> None:
        """Finish what runs."""
        self._pool.shutdown(cancel_futures=True)


def _run_next(take: Take) -> None:
    task = take()
    if task is not None and task.begin():
        _run(task)


def _run(task: Task) -> None:
    began = time.perf_counter()
    try:
        value = task.job()
    except BaseException as error:  # the boundary of the thread: it goes on in who waits
        settle = partial(task.fail, error)
    else:
        ran_s = time.perf_counter() - began
        settle = partial(task.succeed, value, began=began, ran_s=ran_s)
    task.leave()
    settle_from_thread(task.future, settle)
