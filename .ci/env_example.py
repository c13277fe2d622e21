"""Write .env.example of generated projects: every setting of Carboy with its meaning.

    python .ci/env_example.py          writes it
    python .ci/env_example.py --print  prints it

What stands above the line MARK is kept: it is about the project, and written by hand.
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from carboy.settings import Setting, Settings
from carboy.settings.declaration import REQUIRED

TEMPLATES = Path(__file__).parents[1] / "src" / "carboy" / "generator" / "templates"
FILE = TEMPLATES / "project" / ".env.example.jinja"
MARK = "# ---- Carboy's own settings ----\n"
_COLUMNS = 100


def lines() -> Iterator[str]:
    """Give one block for each setting, commented out, with the default as its value."""
    declared = Settings.declarations()
    for group, items in groupby(declared.items(), key=lambda item: item[1][1].group):
        yield f"\n# {group}\n"
        for name, (_, setting) in items:
            yield "\n"
            meaning = f"{setting.doc} Secret." if setting.secret else setting.doc
            yield from (f"# {line}\n" for line in textwrap.wrap(meaning, _COLUMNS - 2))
            variable = (setting.env or (name,))[0]
            yield f"#{variable}={shown(setting)}\n"


def shown(setting: Setting) -> str:
    """Write a default as the environment would hold it."""
    value: Any = setting.default
    if value is None or value is REQUIRED:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return str(value)


def text() -> str:
    """Write the part that follows the mark."""
    body = "".join(lines())
    # Nothing in a meaning is for the template engine.
    return f"{{% raw %}}\n{body}{{% endraw %}}\n"


def main() -> None:
    """Write or print."""
    if sys.argv[1:] == ["--print"]:
        sys.stdout.write(text())
        return
    above = FILE.read_text("utf-8").partition(MARK)[0]
    FILE.write_text(above + MARK + text(), "utf-8")


if __name__ == "__main__":
    main()
