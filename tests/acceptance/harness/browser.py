"""A real browser, driven over WebDriver (W3C), with the commands of Chromium's own protocol that emulate paper and phones."""

from __future__ import annotations

import json
import tempfile
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any

from acceptance.harness.packages import CHROMIUM, libraries, unpacked

_HEADERS = {"Content-Type": "application/json"}


def environment() -> dict[str, str]:
    """Variables by which an unpacked browser finds its libraries and fonts."""
    found = libraries()
    found["LD_LIBRARY_PATH"] = ":".join(
        (found["LD_LIBRARY_PATH"], *map(str, unpacked().glob("usr/lib/*-linux-gnu/pulseaudio")))
    )
    fonts = unpacked() / "etc/fonts"
    return {**found, **({"FONTCONFIG_PATH": str(fonts), "FONTCONFIG_SYSROOT": str(unpacked())} if fonts.is_dir() else {})}  # fmt: skip


class Page:
    """One page in a browser window of its own, as on a phone or on a desk. Use it as a context manager."""

    def __init__(self, driver: str, file: Path, *, width: int, mobile: bool) -> None:
        self._driver = driver
        program = unpacked() / "usr/lib/chromium/chromium"  # what Debian's script starts
        options: dict[str, Any] = {
            "binary": str(program if program.is_file() else CHROMIUM.path()),
            "args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", f"--window-size={width},900",
                     f"--user-data-dir={tempfile.mkdtemp()}"],
        }  # fmt: skip
        if mobile:
            options["mobileEmulation"] = {
                "deviceMetrics": {"width": width, "height": 844, "pixelRatio": 2, "touch": True}
            }
        wanted = {"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        session = self._post(f"{driver}/session", {"capabilities": {"alwaysMatch": wanted}})
        self._session = f"{driver}/session/{session['sessionId']}"
        self._ask("url", {"url": file.as_uri()})

    def __enter__(self) -> Page:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        request = urllib.request.Request(self._session, method="DELETE")
        urllib.request.urlopen(request, timeout=60).close()

    def ask(self, expression: str) -> Any:
        """The value of a JavaScript expression in the page."""
        return self._ask("execute/sync", {"script": f"return {expression}", "args": []})

    def emulate(self, media: str) -> None:
        """Show the page as on `print` or `screen`."""
        self._ask("goog/cdp/execute", {"cmd": "Emulation.setEmulatedMedia", "params": {"media": media}})

    def printed(self) -> str:
        """The page as a PDF, in base64."""
        return str(self._ask("print", {}))

    def messages(self) -> list[str]:
        """What the browser complained of since it was last asked, but for what its own pages do."""
        said = [str(entry["message"]) for entry in self._ask("se/log", {"type": "browser"})]
        return [message for message in said if not message.startswith("chrome://")]

    def _ask(self, command: str, body: dict[str, Any]) -> Any:
        return self._post(f"{self._session}/{command}", body)

    def _post(self, url: str, body: dict[str, Any]) -> Any:
        request = urllib.request.Request(url, json.dumps(body).encode(), _HEADERS)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{url}: {error.read().decode(errors='replace')[:500]}") from error
