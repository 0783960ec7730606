"""A browser without a window: the content of a page after its script has run."""

import re
import shutil
import subprocess
from html import unescape
from pathlib import Path

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
MISSING = "chromium was not found (Debian: apt-get install chromium)"


def browse(folder: Path, page: str, probe: str, *, dark: bool = False, width: int = 1200) -> str:
    """Open a page, run `probe` (JavaScript that returns a text) at its end, and return that text."""
    script = f"<script>document.body.dataset.probe = (() => {{ {probe} }})();</script>"
    file = folder / "probed.html"
    file.write_text(page.replace("</body>", script + "</body>"), encoding="utf-8")
    out = _run(folder, file, "--dump-dom", dark=dark, width=width)
    found = re.search(r'<body[^>]* data-probe="([^"]*)"', out)
    assert found, out[-2000:]
    return unescape(found[1])


def screenshot(
    folder: Path, page: Path, out: Path, *, dark: bool = False, width: int = 1200, height: int = 1600
) -> None:
    """Write a picture of a page."""
    _run(folder, page, f"--screenshot={out}", "--hide-scrollbars", dark=dark, width=width, height=height)


def printed(folder: Path, page: Path) -> bytes:
    """Return a page as the PDF that it prints as."""
    out = folder / "printed.pdf"
    _run(folder, page, f"--print-to-pdf={out}", "--no-pdf-header-footer", dark=True, width=1200)
    return out.read_bytes()


def _run(folder: Path, page: Path, *options: str, dark: bool, width: int, height: int = 1600) -> str:
    assert CHROMIUM
    profile = folder / "profile"
    shutil.rmtree(profile, ignore_errors=True)
    command = [
        CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
        f"--user-data-dir={profile}", f"--window-size={width},{height}",
        f"--blink-settings=preferredColorScheme={0 if dark else 1}", *options, page.absolute().as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout
