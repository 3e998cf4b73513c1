"""The site is built strictly, has no dead link, and a browser shows it without a network."""

import re
import shutil
import subprocess
import sys
import urllib.parse
from html.parser import HTMLParser

import pytest
from documents import GUIDES, ROOT, TUTORIALS

pytestmark = pytest.mark.slow


class Page(HTMLParser):
    """The ids of a page, its links, and what it loads."""

    def __init__(self, path):
        super().__init__()
        self.ids, self.links, self.loads = set(), set(), set()
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag, attrs):
        """Take an element's id and addresses."""
        given = dict(attrs)
        self.ids |= {given.get("id"), given.get("name")} - {None}
        if tag == "a":
            self.links |= {given.get("href")} - {None}
        elif tag in ("script", "link", "img", "iframe") and given.get("rel") != "canonical":
            self.loads |= {given.get("src"), given.get("href")} - {None}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The built site."""
    pytest.importorskip("mkdocs", reason='no mkdocs here; install ".[docs]"')
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", folder]
    done = subprocess.run(
        [*command, "-f", TUTORIALS / "mkdocs.yml"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def dead(pages, site):
    """List the internal links and assets of pages that lead nowhere, as (page, address)."""
    for path, page in pages.items():
        for address in sorted(page.links | page.loads):
            place, _, anchor = urllib.parse.unquote(address).partition("#")
            if re.match(r"[a-z]+:", place):
                continue
            target = (path.parent / place).resolve() if place else path
            if target.is_dir():
                target /= "index.html"
            if not target.is_file() or (anchor and anchor not in pages[target].ids):
                yield path.relative_to(site).as_posix(), address


@pytest.fixture(scope="module")
def pages(site):
    """Every page of the site but the one for addresses that do not exist."""
    return {path: Page(path) for path in site.rglob("*.html") if path.name != "404.html"}


def test_every_guide_and_notebook_has_a_page(site):
    stems = {path.stem for path in TUTORIALS.glob("*.ipynb")} | {name[:-3] for name in GUIDES}
    stems = stems - {"README"} | {"index"}
    assert {path.stem for path in (site / "tutorials").glob("*.html")} == stems


def test_no_internal_link_is_dead(pages, site):
    assert sum(len(page.links) for page in pages.values()) > 500
    assert not list(dead(pages, site))


def test_a_dead_link_would_be_seen(pages, site):
    (path,) = [path for path in pages if path == site / "index.html"]
    page = Page(path)
    page.links |= {"nowhere.html", "#nowhere"}
    found = dict.fromkeys(address for _, address in dead(pages | {path: page}, site))
    assert list(found) == ["#nowhere", "nowhere.html"]


def test_pages_load_nothing_from_a_network(pages):
    loads = {address for page in pages.values() for address in page.loads}
    assert loads
    assert not [address for address in loads if re.match(r"(https?:)?//", address)]


def test_the_reference_has_the_front_door(site):
    ids = Page(site / "reference.html").ids
    assert {"autogenome_tf.automl.AutoGenome.train", "autogenome_tf.load"} <= ids


@pytest.mark.parametrize("name", ["index.html", "tutorials/config.html", "reference.html"])
def test_a_browser_shows_it(site, tmp_path, name):
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if not chromium:
        pytest.skip("no chromium on this machine")
    command = [
        chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
        f"--user-data-dir={tmp_path}/profile", "--host-resolver-rules=MAP * 127.0.0.1:9",
        "--enable-logging=stderr", "--virtual-time-budget=5000", "--dump-dom",
        (site / name).as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert "<h1" in done.stdout and "md-content" in done.stdout
    # Scripts have run: the theme's own takes this class away.
    assert 'class="no-js' not in done.stdout
    assert not re.search(r"CONSOLE.*(Uncaught|ERR_)", done.stderr)
