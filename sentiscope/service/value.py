"""What every answer of the service is read into."""

from typing import TypeVar

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError

from sentiscope.service.errors import Unintelligible

T = TypeVar("T", bound=BaseModel)


class Value(BaseModel):
    """Frozen; fields that this client does not know are passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")


def read(response: httpx.Response, kind: type[T]) -> T:
    """The body as a `kind`; raises Unintelligible."""
    try:
        return kind.model_validate_json(response.content)
    except ValidationError as error:
        raise Unintelligible(
            f"{response.url} answers with something else than a {kind.__name__}: is a Sentiscope "
            f"service there, and of this client's version? ({error.errors()[0]['msg']})"
        ) from error
