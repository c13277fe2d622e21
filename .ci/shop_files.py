"""Write the deployment files of the shop anew, as the generator writes them for an adopted app.

    python .ci/shop_files.py            the files that are in the repository
    python .ci/shop_files.py --wheel    also requirements.txt and wheels/, which are not: with them
                                        an image of the shop runs the Carboy of this checkout

Files that the generator no longer writes stay; the tests name them.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from carboy import __version__
from carboy.generator import Answers, render
from carboy.generator.distribution import running
from carboy.generator.project import put_wheel
from carboy.generator.requirements import RUNTIME, requirements

SHOP = Path(__file__).parents[1] / "examples" / "shop"
ANSWERS = Answers.of(
    {
        "name": "shop",
        "starter": "none",
        "app": "wsgi:app",
        "database": "postgresql",
        "deploy": ["compose", "heroku", "cloudrun", "kubernetes", "github", "gitlab"],
        "migrations": True,
        "features": ["auth"],
    }
)
# The image installs what lies in wheels/, whatever the rest of its name is.
WHEEL = f"carboy-{__version__}-py3-none-any.whl"


def write(folder: Path) -> None:
    """Write the files that are in the repository."""
    render(folder, ANSWERS, wheel=WHEEL)


def write_wheel(folder: Path) -> None:
    """Write what the image installs: this checkout's Carboy, and the rest by version and hash."""
    with tempfile.TemporaryDirectory() as scratch:
        carboy = running(Path(scratch))
    for old in (folder / "wheels").glob("carboy-*.whl"):
        old.unlink()
    put_wheel(folder, carboy)
    (folder / RUNTIME).write_text(requirements(ANSWERS, carboy)[RUNTIME], "utf-8")


if __name__ == "__main__":
    write(SHOP)
    if "--wheel" in sys.argv[1:]:
        write_wheel(SHOP)
