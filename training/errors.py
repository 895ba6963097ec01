"""The root of every error that training raises on purpose."""


class TrainingError(Exception):
    """Training cannot go on."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or type(self).__doc__)
