"""The root of every error that models raise on purpose."""


class ModelError(Exception):
    """A model cannot be used."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or type(self).__doc__)
