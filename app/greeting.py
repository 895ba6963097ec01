"""What a service says of itself once it is ready: who may use it, and a first request."""

from app.keys import KeyRing


def who_may(keys: KeyRing | None) -> str:
    """Who is answered."""
    if keys is None:
        return "this machine only, as no API keys are set"
    return "API keys are demanded"


def first_request(url: str, keys: KeyRing | None) -> str:
    """A command that asks for a prediction."""
    header = "" if keys is None else " -H 'X-API-Key: ...'"
    return f"curl{header} -F image=@photo.jpg {url}/v1/predictions"
