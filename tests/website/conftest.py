"""A website in a package of its own, as a project has one."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import types

import pytest
from flask import Flask, render_template_string

from carboy import Assets, Carboy, Content, error_pages, page

TEMPLATE = "<link rel=stylesheet href=\"{{ asset_url('site.css') }}\">"
_numbers = itertools.count()


class Website:
    """The folder of a package, and apps made on it."""

    production = types.MappingProxyType(
        {
            "APP_ENV": "Production",
            "SECRET_KEY": "correct-horse-battery-staple-and-41-more-words",
            "TRUSTED_HOSTS": "localhost",
        }
    )
    square = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><path d="M0 0h1v1z"/></svg>'

    def __init__(self, root):
        self.root = root
        self.static = root / "static"

    def write(self, **files):
        """Write files; in a keyword ``__`` is a slash, and the last ``_`` a dot."""
        for name, text in files.items():
            path = self.root / ".".join(name.replace("__", "/").rsplit("_", 1))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return self

    def app(self, settings=None, *, bundles=None):
        app = Flask("website", root_path=str(self.root))
        Carboy(app, settings or {"APP_ENV": "Testing"})
        Assets(app, bundles=bundles)
        Content(app)
        error_pages(app)

        @app.get("/")
        @page
        def home():
            return render_template_string(TEMPLATE)

        return app

    def url(self, app, name="site.css"):
        with app.test_request_context():
            return Assets.url(name)

    def text(self, app, name="site.css"):
        """Give the content that is served for an asset."""
        answer = app.test_client().get(self.url(app, name), buffered=True)
        assert answer.status_code == 200
        return answer.text

    def build(self, **options):
        """Build as `flask assets build` does."""
        return self.app(**options).test_cli_runner().invoke(args=["assets", "build"])

    def files(self):
        return sorted(
            path.relative_to(self.static).as_posix()
            for path in self.static.rglob("*")
            if path.is_file() and not path.name.startswith(".")
        )


@pytest.fixture
def website(tmp_path):
    root = tmp_path / f"site{next(_numbers)}"
    root.mkdir()
    return Website(root).write(assets__site_css="body { color : red }\n" * 40)


@pytest.fixture
def project(website):
    """Make the package a program and run a command in its folder, in a process of its own."""
    (website.root / "wsgi.py").write_text(
        "from flask import Flask\nfrom carboy import Assets, Carboy, Content\n"
        "app = Flask(__name__)\nCarboy(app)\nAssets(app)\nContent(app)\n"
    )

    def run(*command, **environment):
        kept = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        return subprocess.run(
            [sys.executable, "-m", *command],
            cwd=website.root, env={**kept, **environment},
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    return run
