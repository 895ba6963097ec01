"""The root of what the job system can refuse."""


class JobError(Exception):
    """The job system cannot do what was asked of it."""
