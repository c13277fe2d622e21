"""Pages for browsers."""

from carboy import page
from flask import Blueprint, render_template

pages = Blueprint("pages", __name__)


@pages.get("/")
@page
def index() -> str:
    """Show the front page."""
    return render_template("index.html")
