"""The servers that are compared: what they are made of, how they start, how they are set up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

OURS = "sentiscope"


@dataclass(frozen=True, slots=True)
class Peer:
    """One of the others; its handler is the file `<name>_peer.py`, `path` takes images."""

    requirements: Sequence[str]
    path: str
    setup: str
    command: str = "{python} {handler}"
    environment: Mapping[str, str] = field(default_factory=dict)


PEERS: Mapping[str, Peer] = {
    "mosec": Peer(
        ["mosec==0.9.8"],
        "/inference",
        "{cores} worker processes",
        "{python} {handler} --address 127.0.0.1 --port {port} --timeout 60000",
    ),
    "bentoml": Peer(
        ["bentoml==1.4.40"],
        "/images",
        "{cores} worker processes, one thread each",
        "{bin}/bentoml serve bench.serving.peers.bentoml_peer:Images --working-dir {root} "
        "--host 127.0.0.1 --port {port}",
        {"BENTOML_DO_NOT_TRACK": "true"},
    ),
    "litserve": Peer(
        ["litserve==0.2.19"],
        "/predict",
        "{cores} workers, fast queue, 1 API process",
    ),
    "ray": Peer(
        ["ray[serve]==2.60.0"],
        "/",
        "{cores} replicas, HAProxy, throughput-optimized",
        environment={
            "RAY_SERVE_ENABLE_HA_PROXY": "1",
            "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1",
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_AUTH_MODE": "disabled",
            "RAY_worker_niceness": "0",
        },
    ),
}
SERVERS = (OURS, *PEERS)


def setup(name: str, cores: int) -> str:
    """How a server is set up, for the table."""
    return "as installed" if name == OURS else PEERS[name].setup.format(cores=cores)
