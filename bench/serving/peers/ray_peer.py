"""Ray Serve: a replica a core, bytes in, JSON out."""

import signal

import ray
from ray import serve
from starlette.requests import Request

from bench.serving.predictor import Predictor, Scores, cores, port


class Images:
    """One replica; it computes in its event loop, one image at a time."""

    def __init__(self) -> None:
        self._predict = Predictor.from_environment()

    async def __call__(self, request: Request) -> Scores:
        """The scores of the body, an encoded image."""
        return self._predict(await request.body())


if __name__ == "__main__":
    ray.init(address="local", include_dashboard=False, num_cpus=cores() + 1)
    serve.start(http_options={"host": "127.0.0.1", "port": port()})
    deployed = serve.deployment(
        num_replicas=cores(), max_ongoing_requests=64, ray_actor_options={"num_cpus": 1}
    )(Images)
    serve.run(deployed.bind(), route_prefix="/")
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    serve.shutdown()
    ray.shutdown()
