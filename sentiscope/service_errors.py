"""What a client is told when the service cannot do what it asked."""

import httpx


class ServiceError(Exception):
    """The service did not do what was asked of it."""


class Unreachable(ServiceError):
    """Nobody answers at that address."""


class Refused(ServiceError):
    """The service answered with a problem document."""

    def __init__(self, sentence: str, status: int) -> None:
        self.status = status
        super().__init__(sentence)


def refusal(response: httpx.Response) -> Refused:
    """The problem document in words: its detail, and each fault with where it is."""
    try:
        problem = response.json()
    except ValueError:
        problem = None
    if not isinstance(problem, dict):
        return Refused(f"the service answers {response.status_code}", response.status_code)
    sentence = str(problem.get("detail") or problem.get("title") or response.reason_phrase)
    faults = [each for each in problem.get("errors", ()) if isinstance(each, dict)]
    lines = [f"  {_place(each.get('loc', ()))}: {each.get('msg')}" for each in faults]
    if len(lines) == 1 and lines[0].strip() in sentence:
        lines = []
    return Refused("\n".join([sentence, *lines]), response.status_code)


def _place(loc: list[object] | tuple[object, ...]) -> str:
    parts = [str(part) for part in loc if part != "body"]
    return ".".join(parts) or "the request"
