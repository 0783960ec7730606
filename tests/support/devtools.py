"""A browser that is driven as a person drives it: chromium by its DevTools protocol, over a pipe, without a library."""

import base64
import fcntl
import json
import os
import select
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any

from browser import CHROMIUM


class Browser:
    """A page in a headless chromium. What it writes to its console, and what it fails with, is in `messages`."""

    def __init__(self, folder: Path, width: int = 1200, height: int = 900, dark: bool = False, touch: bool = False):
        assert CHROMIUM
        self.folder = folder  # of what it saves
        ours, theirs = os.pipe(), os.pipe()  # commands, answers: chromium reads 3 and writes 4
        ends = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (ours[0], theirs[1])]  # neither is 3 or 4 itself
        command = [
            CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
            "--remote-debugging-pipe", f"--user-data-dir={folder / 'profile'}", "about:blank",
        ]  # fmt: skip
        line = f'exec "$@" 3<&{ends[0]} 4>&{ends[1]}'  # of bash: sh has fewer descriptors
        self._process = subprocess.Popen(
            ["bash", "-c", line, "bash", *command], pass_fds=ends, stderr=subprocess.DEVNULL
        )
        for end in (ours[0], theirs[1], *ends):
            os.close(end)
        self._in, self._out = ours[1], theirs[0]
        self._buffer = b""
        self._number = 0
        self._session = ""
        self.messages: list[str] = []
        (target, *_) = [each for each in self.call("Target.getTargets")["targetInfos"] if each["type"] == "page"]
        attach = {"targetId": target["targetId"], "flatten": True}
        self._session = self.call("Target.attachToTarget", **attach)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=touch)
        if touch:
            self.call("Emulation.setTouchEmulationEnabled", enabled=True)
        media = {"prefers-color-scheme": "dark" if dark else "light", "prefers-reduced-motion": "reduce"}  # no waiting
        features = [{"name": name, "value": value} for name, value in media.items()]
        self.call("Emulation.setEmulatedMedia", features=features)
        self.call("Page.setDownloadBehavior", behavior="allow", downloadPath=str(folder.absolute()))

    def __enter__(self) -> "Browser":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._in)
        os.close(self._out)

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command and return its result."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._in, data) :]
        while True:
            answer = self._read()
            if answer.get("id") == self._number:
                assert "error" not in answer, (method, answer["error"])
                return answer["result"]

    def _read(self, seconds: float = 120) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._out], [], [], seconds)
            assert ready, "the browser does not answer"
            part = os.read(self._out, 1 << 20)
            assert part, "the browser has ended"
            self._buffer += part
        text, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(text)
        self._note(message)
        return message

    def _note(self, message: dict[str, Any]) -> None:
        params = message.get("params", {})
        match message.get("method"):
            case "Runtime.consoleAPICalled":
                self.messages.append(str([each.get("value") for each in params["args"]]))
            case "Runtime.exceptionThrown":
                details = params["exceptionDetails"]
                self.messages.append(details.get("exception", {}).get("description", details["text"]))
            case "Log.entryAdded":
                self.messages.append(params["entry"]["text"])
            case "Network.requestWillBeSent" if not params["request"]["url"].startswith(("file:", "data:", "blob:")):
                self.messages.append(f"request of {params['request']['url']}")

    def open(self, page: Path, condition: str = "document.readyState === 'complete'") -> None:
        """Open a file and wait until a condition, JavaScript, is true."""
        self.call("Page.navigate", url="about:blank")  # so that the condition is not true of the page before
        self.wait("location.href === 'about:blank'")
        self.call("Page.navigate", url=page.absolute().as_uri())
        self.wait(f"location.href !== 'about:blank' && ({condition})")

    def wait(self, condition: str, seconds: float = 60) -> None:
        """Wait until JavaScript is true."""
        end = time.monotonic() + seconds
        while not self.run(condition):
            assert time.monotonic() < end, f"never true: {condition}; {self.messages}"
            time.sleep(0.05)

    def run(self, script: str) -> Any:
        """Return the value of JavaScript, waited for if it is a promise."""
        found = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def box(self, selector: str) -> tuple[float, float, float, float]:
        """Scroll an element into view; return its left, top, width and height on the screen."""
        script = f"""(() => {{ const e = document.querySelector({json.dumps(selector)});
            e.scrollIntoView({{block: "center", behavior: "instant"}}); const b = e.getBoundingClientRect();
            return [b.x, b.y, b.width, b.height]; }})()"""
        left, top, width, height = self.run(script)
        return left, top, width, height

    def mouse(self, kind: str, x: float, y: float, buttons: int = 0) -> None:
        """Send one event of the mouse."""
        button = "left" if buttons or kind != "mouseMoved" else "none"
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button=button, buttons=buttons, clickCount=1)

    def click(self, selector: str) -> None:
        """Press and release the mouse in the middle of an element."""
        left, top, width, height = self.box(selector)
        x, y = left + width / 2, top + height / 2
        self.mouse("mousePressed", x, y, 1)
        self.mouse("mouseReleased", x, y)

    def stroke(self, selector: str, points: list[tuple[float, float]], touch: bool = False) -> None:
        """Draw a line through points, given as shares of an element's width and height."""
        left, top, width, height = self.box(selector)
        places = [(left + u * width, top + v * height) for u, v in points]
        if touch:
            self.call("Input.dispatchTouchEvent", type="touchStart", touchPoints=[dict(zip("xy", places[0]))])
            for place in places[1:]:
                self.call("Input.dispatchTouchEvent", type="touchMove", touchPoints=[dict(zip("xy", place))])
            self.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
            return
        self.mouse("mousePressed", *places[0], 1)
        for place in places[1:]:
            self.mouse("mouseMoved", *place, 1)
        self.mouse("mouseReleased", *places[-1])

    def key(self, name: str, text: str = "") -> None:
        """Press and release a key."""
        more = {"text": text} if text else {}
        code = {"Delete": 46, "ArrowRight": 39, "ArrowDown": 40, "ArrowLeft": 37, "ArrowUp": 38, " ": 32}.get(name, 0)
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=name, windowsVirtualKeyCode=code, **more)

    def screenshot(self, out: Path, whole: bool = False) -> None:
        """Write a picture of what is seen, or of the whole page."""
        found = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        out.write_bytes(base64.b64decode(found["data"]))
