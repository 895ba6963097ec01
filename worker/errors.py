"""The root of what the job system can refuse."""


class JobError(Exception):
    """The job system cannot do what was asked of it."""


class RedisNotSet(JobError):
    """No Redis was named: set REDIS_URL, to the same one for API and workers."""

    def __init__(self) -> None:
        super().__init__(type(self).__doc__)
