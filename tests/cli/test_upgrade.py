"""``carboy upgrade``: what it prints where. What it does: tests/generator/test_upgrade.py."""

import re
import subprocess
import sys


def test_outside_of_a_project_one_line_says_so(carboy):
    done = carboy("upgrade")
    assert done.returncode == 2
    assert done.stdout == ""
    assert "carboy adopt" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_difference_is_standard_output_the_rest_is_not(carboy, tmp_path):
    words = ("--starter", "single", "--database", "sqlite", "--deploy", "none")
    assert carboy("new", "demo", *words).returncode == 0
    code = (
        "import os, sys; os.chdir('demo'); sys.argv = ['carboy', 'upgrade', '--dry-run',"
        " '--deploy', 'gitlab']; from carboy.cli import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("diff --git a/.carboy.toml b/.carboy.toml\n")
    assert "+++ b/.gitlab-ci.yml\n" in done.stdout
    assert re.fullmatch(r"Carboy \S+.*: \d+ files would be changed\.\n", done.stderr)
    assert not (tmp_path / "demo/.gitlab-ci.yml").exists()


def test_an_unknown_target_is_refused(carboy):
    assert carboy("upgrade", "--deploy", "swarm").returncode == 2
