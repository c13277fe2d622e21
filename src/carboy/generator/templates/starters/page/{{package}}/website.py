"""What the website is made of: assets/ for browsers, content/ in Markdown, pages for errors."""

from carboy import Assets, Content, error_pages
from flask import Flask

# Files below assets/ that are in no bundle are published one by one.
assets = Assets(
    bundles={
        "site.css": ["css/base.css", "css/layout.css", "css/cards.css"],
        "site.js": ["js/theme.js", "js/switch.js"],
    }
)
content = Content()


def init_app(app: Flask) -> None:
    """Give *app* what the templates use."""
    assets.init_app(app)
    content.init_app(app)
    # Below these paths errors stay data, also for browsers.
    error_pages(app, "error.html", data_below=("/api",))
