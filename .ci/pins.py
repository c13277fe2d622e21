"""Write what generated projects are pinned to, as uv.lock has it.

    python .ci/pins.py UV

Below src/carboy/generator/pins: for each feature of a project the packages it needs, with
versions and markers, and in hashes.txt the hashes of every file that may be installed. The
package ships them, so that a project is pinned without asking the network.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PINS = ROOT / "src" / "carboy" / "generator" / "pins"
EXTRAS = ("assets", "auth", "content", "jwt", "postgres", "redis", "storage")
FEATURES = {
    "base": [],
    **{extra: ["--extra", extra] for extra in EXTRAS},
    "model": ["--only-group", "project-model"],
    "development": ["--group", "project-development"],
}
EXPORT = (
    *("export", "--frozen", "--quiet", "--no-default-groups", "--no-emit-project"),
    *("--no-header", "--no-annotate"),
)


def exported(uv: str, options: list[str]) -> dict[str, list[str]]:
    """Ask uv for one feature: requirement with its marker → hashes."""
    command = [uv, *EXPORT, *options]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    found = {}
    for block in done.stdout.replace("\\\n", " ").splitlines():
        requirement, *hashes = re.split(r"\s+--hash=", block.strip())
        found[requirement] = sorted(hashes)
    return found


def main() -> None:
    """Write every file anew."""
    features = {name: exported(sys.argv[1], options) for name, options in FEATURES.items()}
    base = features["base"].keys()
    PINS.mkdir(exist_ok=True)
    hashes: dict[str, list[str]] = {}
    for name, pins in features.items():
        # What every project has anyway is in base.txt only.
        lines = sorted(line for line in pins if name == "base" or line not in base)
        (PINS / f"{name}.txt").write_text("".join(f"{line}\n" for line in lines), "utf-8")
        for line, found in pins.items():
            hashes[line.partition(";")[0].strip()] = found
    blocks = (
        f"{package}\n" + "".join(f"    {found}\n" for found in hashes[package])
        for package in sorted(hashes)
    )
    (PINS / "hashes.txt").write_text("".join(blocks), "utf-8")


if __name__ == "__main__":
    main()
