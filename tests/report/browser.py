"""A headless Chromium driven over its debugging pipe: no driver, no port, no package beyond the browser itself."""

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)


def find_browser() -> str | None:
    """The path of an installed Chromium or Chrome; None where there is none."""
    return next((path for name in PROGRAMS if (path := shutil.which(name))), None)


@dataclass
class Page:
    """One open page, and everything it complained about or asked the network for."""

    to_browser: int
    from_browser: int
    session: str = ""
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    _next: int = 0
    _buffer: bytes = b""

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send one command of the DevTools protocol and wait for its answer, noting what happens meanwhile."""
        self._next += 1
        message = {"id": self._next, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to_browser, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self._next:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return dict(answer["result"])
            self._note(answer)

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression in the page; a promise is waited for."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def open(self, file: Path, *, width: int = 1280, height: int = 900, scheme: str = "light", media: str = "") -> None:
        """Load a file and wait until its charts are drawn."""
        self.load(file, width=width, height=height, scheme=scheme, media=media)
        self.evaluate(
            "new Promise((done, late) => {"
            " const started = Date.now();"
            " const look = () => document.documentElement?.dataset.charts === 'done' ? done(true)"
            "   : Date.now() - started > 30000 ? late(new Error('the charts were not drawn')) : setTimeout(look, 50);"
            " look(); })"
        )

    def load(self, file: Path, *, width: int = 1280, height: int = 900, scheme: str = "light", media: str = "") -> None:
        """Load a file, which may have no charts."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        self.call(
            "Emulation.setEmulatedMedia", media=media, features=[{"name": "prefers-color-scheme", "value": scheme}]
        )
        self.call("Page.navigate", url=file.as_uri())
        self.evaluate(
            "new Promise(done => document.readyState === 'complete' ? done(true)"
            " : addEventListener('load', () => done(true)))"
        )

    def screenshot(self, file: Path) -> None:
        """The whole page, from top to bottom, as a PNG."""
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        answer = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        file.write_bytes(base64.b64decode(answer["data"]))

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            chunk = os.read(self.from_browser, 1 << 20)
            if not chunk:
                raise RuntimeError("the browser ended")
            self._buffer += chunk
        message, self._buffer = self._buffer.split(b"\0", 1)
        return dict(json.loads(message))

    def _note(self, event: dict[str, Any]) -> None:
        given = event.get("params", {})
        match event.get("method"):
            case "Runtime.consoleAPICalled" if given["type"] in ("error", "warning", "assert"):
                self.complaints.append(f"console: {given['args']}")
            case "Runtime.exceptionThrown":
                self.complaints.append(f"exception: {given['exceptionDetails']}")
            case "Log.entryAdded" if given["entry"]["level"] in ("error", "warning"):
                self.complaints.append(f"log: {given['entry']}")
            case "Page.javascriptDialogOpening":
                self.complaints.append(f"dialog: {given['message']}")
                raise RuntimeError(f"a script of the data ran: {given['message']}")
            case "Network.requestWillBeSent" if not given["request"]["url"].startswith("data:"):  # part of the page
                self.requests.append(given["request"]["url"])


@contextmanager
def browser_page(program: str, profile: Path) -> Iterator[Page]:
    """A page in a fresh browser that ends with the block."""
    to_browser_read, to_browser = os.pipe()
    from_browser, from_browser_write = os.pipe()

    def connect() -> None:
        # the browser reads commands on descriptor 3 and answers on 4; high copies first, so that neither is overwritten
        reading, writing = os.dup2(to_browser_read, 100), os.dup2(from_browser_write, 101)
        os.dup2(reading, 3)
        os.dup2(writing, 4)

    process = subprocess.Popen(
        [program, *FLAGS, f"--user-data-dir={profile}", "about:blank"],
        preexec_fn=connect,
        close_fds=False,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(to_browser_read)
    os.close(from_browser_write)
    page = Page(to_browser, from_browser)
    try:
        targets = page.call("Target.getTargets")["targetInfos"]
        target = next(each["targetId"] for each in targets if each["type"] == "page")
        page.session = page.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            page.call(f"{domain}.enable")
        yield page
    finally:
        process.terminate()
        process.wait(timeout=20)
        os.close(to_browser)
        os.close(from_browser)
