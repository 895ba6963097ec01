"""What every answer of the service is read into."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel, ConfigDict, RootModel

from sentiscope.service.errors import Unintelligible

T = TypeVar("T", bound=BaseModel)


class Value(BaseModel):
    """Frozen; fields that this client does not know are passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Document(RootModel[dict[str, Any]]):
    """An answer with all of its fields, as it came."""


def read(response: httpx.Response, kind: type[T]) -> T:
    """The body as a `kind`; raises Unintelligible."""
    with understood(response):
        return kind.model_validate_json(response.content)


@contextmanager
def understood(response: httpx.Response) -> Iterator[None]:
    """An answer that is not as expected is somebody else's; raises Unintelligible."""
    try:
        yield
    except ValueError as error:
        raise Unintelligible(
            f"{response.url} answers with something else than was expected: is a Sentiscope "
            f"service there, and of this client's version? ({str(error).splitlines()[0]})"
        ) from error
