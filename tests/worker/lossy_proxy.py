"""Something between a client and Redis that passes every command on and can lose an answer."""

import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


class LossyProxy:
    """Listens on a unix socket of its own; connections are served by threads."""

    def __init__(self, server: Path, path: Path) -> None:
        self._server = server
        self._path = path
        self._listener = socket.socket(socket.AF_UNIX)
        self._loses_next = False
        self.lost = 0
        """Answers that were lost so far."""

    @property
    def url(self) -> str:
        """Where redis-py finds it."""
        return f"unix://{self._path}"

    def lose_next(self) -> None:
        """Let the next command be carried out, and close the connection instead of answering."""
        self._loses_next = True

    def start(self) -> None:
        """Accept connections until it is closed."""
        self._listener.bind(str(self._path))
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Accept no more."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(str(self._server))
            for source, target, answers in ((client, server, False), (server, client, True)):
                threading.Thread(
                    target=self._pass_on, args=(source, target, answers), daemon=True
                ).start()

    def _pass_on(self, source: socket.socket, target: socket.socket, answers: bool) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if answers and self._loses_next:
                    self._loses_next = False
                    self.lost += 1
                    break
                target.sendall(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        source.close()


@contextmanager
def lossy_proxy(server: Path) -> Iterator[LossyProxy]:
    """A proxy before the Redis that listens on `server`."""
    with tempfile.TemporaryDirectory() as folder:
        proxy = LossyProxy(server, Path(folder) / "proxy")
        proxy.start()
        yield proxy
        proxy.close()
