"""LitServe: a worker a core behind one API process, bytes in, JSON out."""

from typing import Annotated, Any

from fastapi import Body
from litserve import LitAPI, LitServer

from bench.serving.predictor import Predictor, Scores, cores, port


class Images(LitAPI):  # type: ignore[misc]
    """Takes the body as it is."""

    def setup(self, device: object) -> None:
        """Load the model in a worker."""
        del device
        self._predict = Predictor.from_environment()

    def decode_request(self, request: Annotated[bytes, Body(media_type="image/jpeg")]) -> bytes:
        """An encoded image."""
        return request

    def predict(self, x: bytes, **kwargs: Any) -> Scores:
        """Its scores."""
        del kwargs
        return self._predict(x)

    def encode_response(self, output: Scores, **kwargs: Any) -> Scores:
        """What FastAPI makes JSON of."""
        del kwargs
        return output


if __name__ == "__main__":
    server = LitServer(
        Images(),
        accelerator="cpu",
        workers_per_device=cores(),
        fast_queue=True,
        timeout=False,
    )
    server.run(
        host="127.0.0.1",
        port=port(),
        num_api_servers=1,
        log_level="warning",
        generate_client_file=False,
        access_log=False,
    )
