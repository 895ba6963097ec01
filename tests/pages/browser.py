"""A headless Chromium, driven over pipes by the DevTools protocol: nothing to install but itself.

https://chromedevtools.github.io/devtools-protocol/
"""

import base64
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

EXECUTABLE = shutil.which("chromium") or shutil.which("google-chrome")
WHY_NOT = "no chromium here: `apt-get install chromium` has it"
_PATIENCE_S = 100.0
_POLL_S = 0.05
_FLAGS = (
    "--headless",
    "--no-sandbox",  # tests run as root in containers
    "--remote-debugging-pipe",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--hide-scrollbars",
    "--no-first-run",
    "--lang=en-GB",
)
Message = dict[str, Any]


class PageFailed(AssertionError):
    """A script on the page raised, or what was waited for did not come."""


@dataclass(slots=True)
class Pipe:
    """Messages to and from the browser: JSON, each ended by a zero byte."""

    write_fd: int
    read_fd: int
    _rest: bytes = b""
    _count: int = 0
    events: list[Message] = field(default_factory=list)

    def call(self, method: str, session: str | None = None, /, **parameters: Any) -> Message:
        """Ask for something and wait for the answer; events that come meanwhile are kept."""
        self._count += 1
        wanted = self._count
        message: Message = {"id": wanted, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = session
        self._send(json.dumps(message).encode() + b"\0")
        while (answer := self._next()).get("id") != wanted:
            self.events.append(answer)
        if "error" in answer:
            raise PageFailed(f"{method}: {answer['error']['message']}")
        result: Message = answer["result"]
        return result

    def _send(self, content: bytes) -> None:
        while content:
            content = content[os.write(self.write_fd, content) :]

    def _next(self) -> Message:
        deadline = time.monotonic() + _PATIENCE_S
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self.read_fd], [], [], deadline - time.monotonic())
            part = os.read(self.read_fd, 1 << 20) if ready else b""
            if not part:
                raise PageFailed("the browser does not answer")
            self._rest += part
        line, _, self._rest = self._rest.partition(b"\0")
        found: Message = json.loads(line)
        return found


@dataclass(slots=True)
class Tab:
    """One page, and what it asked for and complained about."""

    pipe: Pipe
    session: str

    def call(self, method: str, **parameters: Any) -> Message:
        """One command to this tab."""
        return self.pipe.call(method, self.session, **parameters)

    def open(self, url: str) -> None:
        """Load a page anew, what came before forgotten, and wait until it is whole."""
        self.call("Page.navigate", url="about:blank")
        self.pipe.events.clear()
        found = self.call("Page.navigate", url=url)
        if "errorText" in found:
            raise PageFailed(f"{url}: {found['errorText']}")
        self.until("location.href !== 'about:blank' && document.readyState === 'complete'")

    def run(self, script: str) -> Any:
        """The value of an expression, awaited; raises PageFailed with what it raised."""
        answer = self.call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise PageFailed(details.get("exception", {}).get("description", details["text"]))
        return answer["result"].get("value")

    def until(self, condition: str, *, timeout_s: float = _PATIENCE_S) -> None:
        """Wait until the expression is true."""
        deadline = time.monotonic() + timeout_s
        while not self.run(f"Boolean({condition})"):
            if time.monotonic() > deadline:
                shown = self.run("document.body?.innerText.slice(0, 1500)")
                raise PageFailed(f"never came true: {condition}\non the page: {shown}")
            time.sleep(_POLL_S)

    def text(self, selector: str = "main") -> str:
        """What an element says, as it is seen."""
        return str(self.run(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''"))

    def click(self, selector: str) -> None:
        """Click the first element that fits."""
        self.run(f"document.querySelector({json.dumps(selector)}).click()")

    def choose(self, selector: str, value: str) -> None:
        """Type or choose a value as a person would, with the events that follow."""
        self.run(
            f"(() => {{ const it = document.querySelector({json.dumps(selector)});"
            f" it.value = {json.dumps(value)};"
            " it.dispatchEvent(new Event('input', {bubbles: true}));"
            " it.dispatchEvent(new Event('change', {bubbles: true})); })()"
        )

    def press(self, key: str, code: int, *, text: str = "") -> None:
        """One key of the keyboard; `code` is its virtual key code."""
        common = {"key": key, "windowsVirtualKeyCode": code}
        self.call("Input.dispatchKeyEvent", type="keyDown", text=text, **common)
        self.call("Input.dispatchKeyEvent", type="keyUp", **common)

    def pick(self, selector: str, files: Sequence[Path]) -> None:
        """Pick files in a file input."""
        root = self.call("DOM.getDocument")["root"]["nodeId"]
        node = self.call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.call("DOM.setFileInputFiles", nodeId=node, files=[str(file) for file in files])

    def size(self, width: int, height: int, *, scale: float = 1) -> None:
        """The window's size in CSS pixels."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=scale,
            mobile=width < 600,
        )

    def scheme(self, name: str) -> None:
        """`dark` or `light`; motion is reduced in both, so that pictures are of what stays."""
        features = [
            {"name": "prefers-color-scheme", "value": name},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]
        self.call("Emulation.setEmulatedMedia", features=features)

    def screenshot(self, file: Path | None = None, *, whole: bool = False) -> bytes:
        """A PNG of the window, or of the whole page."""
        found = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        content = base64.b64decode(found["data"])
        if file is not None:
            file.write_bytes(content)
        return content

    def told(self, method: str) -> list[Message]:
        """Parameters of the events of one kind since the page was opened."""
        self.run("0")  # what has happened by now has been told before the answer
        return [
            event["params"]
            for event in self.pipe.events
            if event.get("method") == method and event.get("sessionId") == self.session
        ]

    def requests(self) -> list[str]:
        """Addresses that the page asked for."""
        return [str(each["request"]["url"]) for each in self.told("Network.requestWillBeSent")]

    def complaints(self) -> list[str]:
        """Errors and warnings of the console, and exceptions nobody caught."""
        console = [
            str(each["args"][0].get("value", each["args"][0].get("description")))
            for each in self.told("Runtime.consoleAPICalled")
            if each["type"] in ("error", "warning", "assert")
        ]
        raised = [
            str(each["exceptionDetails"].get("exception", {}).get("description"))
            for each in self.told("Runtime.exceptionThrown")
        ]
        logged = [
            f"{each['entry']['text']} {each['entry'].get('url', '')}"
            for each in self.told("Log.entryAdded")
            if each["entry"]["level"] in ("error", "warning")
        ]
        return console + raised + logged


@contextmanager
def browsing() -> Iterator[Tab]:
    """A browser with one empty tab; everything of it is gone in the end."""
    assert EXECUTABLE, WHY_NOT
    profile = tempfile.mkdtemp(prefix="chromium-")
    to_read, write_fd = os.pipe()
    read_fd, to_write = os.pipe()
    script = f'exec "$@" 3<&{to_read} 4>&{to_write}'  # the descriptors that it looks at
    process = subprocess.Popen(
        ["bash", "-c", script, "chromium", EXECUTABLE, *_FLAGS, f"--user-data-dir={profile}"],
        pass_fds=(to_read, to_write),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    os.close(to_read)
    os.close(to_write)
    try:
        pipe = Pipe(write_fd, read_fd)
        target = pipe.call("Target.createTarget", url="about:blank")["targetId"]
        attached = pipe.call("Target.attachToTarget", targetId=target, flatten=True)
        tab = Tab(pipe, attached["sessionId"])
        for domain in ("Page", "Runtime", "Network", "Log", "DOM"):
            tab.call(f"{domain}.enable")
        tab.size(1280, 900)
        yield tab
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        os.close(write_fd)
        os.close(read_fd)
        shutil.rmtree(profile, ignore_errors=True)
