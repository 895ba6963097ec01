"""mosec: a process a core, bytes in, JSON out."""

import json

from mosec import Server, Worker

from bench.serving.predictor import Predictor, Scores, cores


class Images(Worker):  # type: ignore[misc]
    """Takes the body as it is."""

    def __init__(self) -> None:
        super().__init__()
        self._predict = Predictor.from_environment()

    def deserialize(self, data: bytes) -> bytes:
        """An encoded image."""
        return data

    def forward(self, data: bytes) -> Scores:
        """Its scores."""
        return self._predict(data)

    def serialize(self, data: Scores) -> bytes:
        """JSON."""
        return json.dumps(data).encode()


if __name__ == "__main__":
    server = Server()
    server.append_worker(Images, num=cores())
    server.run()
