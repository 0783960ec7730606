"""A browser with the page's scripts, opened once for all tests of the folder."""

import pytest
from browser import CHROMIUM, MISSING
from devtools import Browser
from play_engine import open_scripts


@pytest.fixture(scope="session")
def scripts(tmp_path_factory):
    if CHROMIUM is None:
        pytest.skip(MISSING)
    folder = tmp_path_factory.mktemp("scripts")
    with Browser(folder) as browser:
        open_scripts(browser, folder)
        yield browser
        assert browser.messages == []
