"""Pages for browsers. A new one: a view here, a template, a line in templates/layout.html."""

from carboy import page
from flask import Blueprint, Response, make_response, redirect, render_template

from .website import assets

pages = Blueprint("pages", __name__)


@pages.get("/")
@page
def index() -> str:
    """Show the front page."""
    return render_template("index.html")


@pages.get("/about")
@page
def about() -> str:
    """Show what this is, from content/about.md."""
    return render_template("about.html")


@pages.get("/favicon.ico")
def favicon() -> Response:
    """Lead those to the icon who do not look into the page for it."""
    response = make_response(redirect(assets.url("favicon.ico")))
    response.cache_control.max_age = 86_400
    return response


@pages.get("/robots.txt")
def robots() -> Response:
    """Ask search engines for the pages only."""
    return Response("User-agent: *\nDisallow: /api/\n", mimetype="text/plain")
