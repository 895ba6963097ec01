"""`Idempotency-Key`: a client may send a request again and makes nothing twice."""

import hashlib
import json
from typing import Annotated

from fastapi import Depends, Header

from app.errors import Fault, InvalidOption
from worker.store import IdempotencyKey

_NAME = "Idempotency-Key"
_LONGEST = 255


async def given_key(
    value: Annotated[
        str | None,
        Header(
            alias=_NAME,
            description="Up to 255 visible characters, new for each new job. The same key and "
            "body give the same job for a day, however often they are sent",
            examples=["b6f1-first-try"],
        ),
    ] = None,
) -> str | None:
    """The header's value; raises InvalidOption for one that is no key."""
    if value is None:
        return None
    if not 0 < len(value) <= _LONGEST or not (value.isascii() and value.isprintable()):
        said = f"expected 1 to {_LONGEST} visible ASCII characters"
        raise InvalidOption(f"{_NAME}: {said}", faults=[Fault(("header", _NAME), said)])
    return value


GivenKey = Annotated[str | None, Depends(given_key)]


def key_of(value: str | None, document: object) -> IdempotencyKey | None:
    """The key for what `document` asks: spaces and the order of its fields do not matter."""
    if value is None:
        return None
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return IdempotencyKey(value, hashlib.sha256(canonical.encode()).hexdigest())
