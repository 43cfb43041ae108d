"""A headless Chromium that tests drive as a person would: its DevTools protocol over two pipes, without a network."""

import base64
import fcntl
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--remote-debugging-pipe",
)
ON_PIPES = "import os,sys; os.dup2(int(sys.argv[1]),3); os.dup2(int(sys.argv[2]),4); os.execv(sys.argv[3],sys.argv[3:])"
"""Chromium reads commands from descriptor 3 and answers on 4."""


def find_chromium() -> str | None:
    """The program, by one of the names that it is installed under, or the one that CHROMIUM names."""
    names = (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
    return next((path for name in names if name and (path := shutil.which(name))), None)


class Chromium:
    """One browser with one tab."""

    def __init__(self, program: str, profile: Path) -> None:
        theirs_in, ours_out = os.pipe()
        ours_in, theirs_out = os.pipe()
        # Above all descriptors that are overwritten on the way.
        theirs = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (theirs_in, theirs_out)]
        starter = [sys.executable, "-IS", "-c", ON_PIPES, *map(str, theirs)]
        self._log = (profile / "chromium.log").open("wb")
        self._process = subprocess.Popen(
            [*starter, program, *FLAGS, f"--user-data-dir={profile / 'profile'}", "about:blank"],
            pass_fds=theirs,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
        )
        for end in (theirs_in, theirs_out, *theirs):
            os.close(end)
        self._in, self._out = os.fdopen(ours_in, "rb"), os.fdopen(ours_out, "wb")
        self._number, self._waiting, self._session = 0, b"", None
        self.events: list[dict[str, Any]] = []
        target = self.command("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.command("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.command(f"{domain}.enable")
        self.resize(1200, 900)

    def command(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command of the DevTools protocol and return its result."""
        self._number += 1
        number = self._number
        message = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        self._out.write(json.dumps(message).encode() + b"\0")
        self._out.flush()
        while True:
            answer = self._receive()
            if answer.get("id") == number:
                assert "error" not in answer, (method, answer["error"])
                return answer["result"]
            self.events.append(answer)

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._waiting:
            piece = os.read(self._in.fileno(), 1 << 20)
            assert piece, f"Chromium has ended: {Path(self._log.name).read_text(errors='replace')}"
            self._waiting += piece
        message, _, self._waiting = self._waiting.partition(b"\0")
        return json.loads(message)

    def open(self, page: Path) -> None:
        """Open a file and wait until its scripts have run."""
        self.events = []
        self.command("Page.navigate", url=page.as_uri())
        while not any(event["method"] == "Page.loadEventFired" for event in self.events):
            self.events.append(self._receive())

    def run(self, script: str) -> Any:
        """The value of a JavaScript expression; a promise is waited for."""
        answer = self.command("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def press(self, key: str) -> None:
        """Press a key: a character, or a name such as Enter or Tab."""
        codes = {"Enter": 13, "Tab": 9, "Escape": 27}
        text = {"text": "\r"} if key == "Enter" else {"text": key} if len(key) == 1 else {}
        key_code = {"windowsVirtualKeyCode": codes[key]} if key in codes else {}
        self.command("Input.dispatchKeyEvent", type="keyDown", key=key, **key_code, **text)
        self.command("Input.dispatchKeyEvent", type="keyUp", key=key, **key_code)

    def prefer(self, scheme: str, medium: str = "screen") -> None:
        """Ask pages for their light or dark colours, on the screen or in print."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.command("Emulation.setEmulatedMedia", media=medium, features=features)

    def resize(self, width: int, height: int) -> None:
        self.command(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )

    def screenshot(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self.command("Page.captureScreenshot", format="png")["data"]))

    def faults(self) -> list[str]:
        """What the page's scripts raised, and what the browser refused or failed to load, since it was opened."""
        self.run("0")
        raised = [event for event in self.events if event["method"] == "Runtime.exceptionThrown"]
        logged = [event for event in self.events if event["method"] == "Log.entryAdded"]
        return [str(event["params"]) for event in raised + logged]

    def close(self) -> None:
        """End the browser."""
        self._session = None
        try:
            self.command("Browser.close")
            self._process.wait(10)
        except (AssertionError, OSError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        for file in (self._in, self._out, self._log):
            file.close()
