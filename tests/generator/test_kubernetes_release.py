"""The script that brings a release to a cluster: what it refuses, what it does in which order.

There is no cluster to be had here. A program named kubectl writes down what it is asked and answers
as a test says; the script is the real one, run by a shell.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from carboy.generator import render

KUBECTL = """#!/bin/sh
printf '%s\\n' "$*" >>"$ASKED"
case "$*" in
"kustomize "*) cp "$2/kustomization.yaml" "$RELEASE" ; echo 'kind: List' ;;
*" get job "*) echo "$VERDICT" ;;
*" rollout status "*)
    if [ "$ROLLOUT" = stuck ] && ! grep -q 'rollout undo' "$ASKED"; then exit 1; fi ;;
*" rollout undo "*) [ "$BEFORE" = yes ] ;;
esac
"""
IMAGE = "registry.example.com:5000/demo-shop:1.4.0"


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    answers = {"name": "demo-shop", "database": "postgresql", "deploy": ["kubernetes"]}
    render(folder, answers)
    return folder


@pytest.fixture
def deploy(project, tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "kubectl").write_text(KUBECTL)
    (tmp_path / "bin" / "kubectl").chmod(0o755)
    return partial(run_script, project, tmp_path)


def run_script(project, scratch, *arguments, verdict="Complete", rollout="done", before="yes"):
    answers = {"VERDICT": verdict, "ROLLOUT": rollout, "BEFORE": before, "TIMEOUT_S": "4"}
    done = subprocess.run(
        ["deploy/kubernetes/deploy.sh", *arguments],
        cwd=project,
        env={
            "PATH": f"{scratch / 'bin'}:{os.environ['PATH']}",
            "ASKED": str(scratch / "asked"),
            "RELEASE": str(scratch / "release"),
            **answers,
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert list((project / "deploy" / "kubernetes").glob(".release*")) == []
    asked, release = scratch / "asked", scratch / "release"
    return SimpleNamespace(
        status=done.returncode,
        said=done.stderr,
        asked=[shlex.split(line) for line in asked.read_text().splitlines()]
        if asked.exists()
        else [],
        release=yaml.safe_load(release.read_text()) if release.exists() else None,
    )


def steps(done):
    """Name what was asked of the cluster, in order; looks at the job count once."""
    named = []
    for words in done.asked:
        if words[0] == "kustomize":
            named.append("build")
            continue
        assert words[:2] == ["--namespace", "demo-shop-staging"]
        step = words[2]
        if step == "apply":
            step = words[words.index("--selector") + 1].rpartition("/")[2]
            assert "component" in step
            # What is written down has lost its quotes: a selector with spaces comes in parts.
            step = "apply " + (step if "=" in step else "the rest")
        elif step == "rollout":
            step += f" {words[3]}"
        if not (step == "get" and named[-1] == "get"):
            named.append(step)
    return named


BEGINNING = ["build", "apply the rest", "delete", "apply component=migration", "get"]


def test_a_release_migrates_then_rolls_out_and_waits(deploy):
    done = deploy("staging", IMAGE)
    assert done.status == 0
    assert steps(done) == [*BEGINNING, "apply component=web", "rollout status"]
    assert f"{IMAGE} serves in staging." in done.said


@pytest.mark.parametrize("verdict", ["Failed", "", "FailureTarget Failed"])
def test_nothing_is_rolled_out_where_the_migration_does_not_succeed(deploy, verdict):
    done = deploy("staging", IMAGE, verdict=verdict)
    assert done.status == 1
    assert steps(done) == [*BEGINNING, "logs"]
    assert "Nothing was released" in done.said


def test_the_release_before_is_put_back_when_pods_do_not_get_ready(deploy):
    done = deploy("staging", IMAGE, rollout="stuck")
    assert done.status == 1
    assert steps(done)[len(BEGINNING) :] == [
        "apply component=web", "rollout status", "get", "logs", "rollout undo", "rollout status",
    ]  # fmt: skip
    assert "serves" not in done.said


def test_a_first_release_that_fails_has_nothing_before_it(deploy):
    done = deploy("staging", IMAGE, rollout="stuck", before="no")
    assert done.status == 1
    assert "There is none" in done.said


@pytest.mark.parametrize(
    ("image", "fields"),
    [
        pytest.param("r/demo:1.4.0", {"newName": "r/demo", "newTag": "1.4.0"}, id="tag"),
        pytest.param("r:80/demo:1", {"newName": "r:80/demo", "newTag": "1"}, id="port, tag"),
        pytest.param("demo:08", {"newName": "demo", "newTag": "08"}, id="a number as the tag"),
        pytest.param("r:80/d@sha256:0a", {"newName": "r:80/d", "digest": "sha256:0a"}, id="digest"),
        pytest.param("d:latest@sha256:0a", {"newName": "d", "digest": "sha256:0a"}, id="both"),
    ],
)
def test_the_release_names_its_image(deploy, image, fields):
    done = deploy("staging", image)
    assert done.status == 0, done.said
    assert done.release["resources"] == ["../overlays/staging"]
    assert done.release["images"] == [{"name": "image.invalid/demo-shop", **fields}]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "Usage"),
        (["staging"], "Usage"),
        (["staging", IMAGE, "more"], "Usage"),
        (["nowhere", IMAGE], "Choose from: production staging"),
        (["", IMAGE], "Choose from: production staging"),
        (["../base", IMAGE], "Choose from: production staging"),
        (["staging", "demo"], "Give its version"),
        (["staging", "demo:latest"], "Give its version"),
        (["staging", "demo:"], "Give its version"),
        (["staging", "localhost:5000/demo"], "Give its version"),
        (["staging", "demo@sha256:"], "Give its version"),
        (["staging", "demo:1'\nname: x"], "Give its version"),
        (["staging", ""], "Give its version"),
    ],
)
def test_what_is_no_release_is_refused_before_anything_is_asked(deploy, arguments, told):
    done = deploy(*arguments)
    assert done.status == 2
    assert told in done.said
    assert done.asked == []


def test_shellcheck_has_nothing_to_say(project):
    tool = Path(sys.executable).with_name("shellcheck")
    script = project / "deploy" / "kubernetes" / "deploy.sh"
    done = subprocess.run([tool, script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
