import os
import socket
from pathlib import Path

import pytest

from app import binding
from app.errors import BindingRefused
from app.keys import KeyRing, Scope, create_key


def test_inherited_socket_for_other_machines_is_refused_without_keys(tmp_path: Path) -> None:
    create_key(tmp_path / "keys.json", "ci", frozenset({Scope.PREDICT}))
    with socket.create_server(("0.0.0.0", 0)) as opened:
        with pytest.raises(BindingRefused, match="no API keys are configured"):
            binding.inherited(os.dup(opened.fileno()), keys=None)
        keys = KeyRing(tmp_path / "keys.json")
        binding.inherited(os.dup(opened.fileno()), keys=keys).close()


def test_inherited_socket_of_this_machine_needs_no_keys() -> None:
    with socket.create_server(("127.0.0.1", 0)) as opened:
        binding.inherited(os.dup(opened.fileno()), keys=None).close()
