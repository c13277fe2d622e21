"""The pipelines of GitHub and GitLab: schemas, an audit, and what they call is there."""

from __future__ import annotations

import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
import yaml

from carboy.generator import render

WORKFLOW = ".github/workflows/pipeline.yml"
DEPENDABOT = ".github/dependabot.yml"
GITLAB = ".gitlab-ci.yml"
PROJECTS = {
    "everything": {
        "name": "demo-shop",
        "database": "postgresql",
        "deploy": ["compose", "heroku", "cloudrun", "kubernetes", "github", "gitlab"],
    },
    "sqlite": {"name": "demo", "starter": "single", "database": "sqlite"},
    "model": {"name": "demo", "starter": "model", "database": "postgresql"},
    "adopted": {
        "name": "old",
        "starter": "none",
        "app": "old:app",
        "database": "postgresql",
        "migrations": False,
    },
    "adopted on sqlite": {"name": "old", "starter": "none", "app": "old:app"},
}


@pytest.fixture(scope="module")
def render_once(tmp_path_factory):
    @cache
    def rendered(project):
        folder = tmp_path_factory.mktemp("project")
        render(folder, {"deploy": ["github", "gitlab"], **PROJECTS[project]})
        return folder

    return rendered


@pytest.fixture(params=PROJECTS)
def project(request, render_once):
    return render_once(request.param), PROJECTS[request.param]


def run_tool(name, *arguments, cwd):
    tool = Path(sys.executable).with_name(name)
    return subprocess.run([tool, *arguments], cwd=cwd, capture_output=True, text=True, check=False)


def workflow_of(folder):
    return yaml.safe_load((folder / WORKFLOW).read_text())


def steps_of(folder):
    return [step for job in workflow_of(folder)["jobs"].values() for step in job["steps"]]


def jobs_of_gitlab(folder):
    told = yaml.safe_load((folder / GITLAB).read_text())
    return {name: job for name, job in told.items() if isinstance(job, dict) and "script" in job}


def scripts(folder):
    """Name every command that either pipeline gives to a shell."""
    github = [step["run"] for step in steps_of(folder) if "run" in step]
    gitlab = [line for job in jobs_of_gitlab(folder).values() for line in job["script"]]
    return github + gitlab


@pytest.mark.parametrize(
    ("schema", "file", "more"),
    [
        ("vendor.github-workflows", WORKFLOW, ()),
        ("vendor.dependabot", DEPENDABOT, ()),
        ("vendor.gitlab-ci", GITLAB, ("--data-transform", "gitlab-ci")),
    ],
)
def test_the_schema_accepts_the_file(project, schema, file, more):
    done = run_tool("check-jsonschema", "--builtin-schema", schema, *more, file, cwd=project[0])
    assert done.returncode == 0, done.stdout


def test_zizmor_finds_nothing(project):
    done = run_tool("zizmor", "--offline", "--no-progress", WORKFLOW, DEPENDABOT, cwd=project[0])
    assert done.returncode == 0, done.stdout


def test_zizmor_would_find_an_action_that_can_be_moved(project, tmp_path):
    file = tmp_path / WORKFLOW
    file.parent.mkdir(parents=True)
    text = (project[0] / WORKFLOW).read_text()
    file.write_text(re.sub(r"(actions/checkout)@\S+ # (\S+)", r"\1@\2", text))
    done = run_tool("zizmor", "--offline", "--no-progress", WORKFLOW, cwd=tmp_path)
    assert "unpinned-uses" in done.stdout


def test_an_action_is_named_by_commit_and_version_the_same_everywhere(project):
    text = (project[0] / WORKFLOW).read_text()
    named = re.findall(r"uses: (\S+?)@(\S+)(.*)", text)
    assert len(named) == text.count("uses:") > 8
    assert all(re.fullmatch(r"[0-9a-f]{40}", commit) for _, commit, _ in named)
    assert all(re.fullmatch(r" # v\d+\.\d+\.\d+", version) for _, _, version in named)
    assert len({action for action, _, _ in named}) == len(set(named))


def test_a_job_of_github_may_do_what_it_needs_within_its_time(project):
    workflow = workflow_of(project[0])
    assert workflow["permissions"] == {}
    for name, job in workflow["jobs"].items():
        may = {"contents": "read"}
        if name == "publish":
            may["packages"] = "write"
            assert job["if"] == "github.event_name == 'push'"
        assert job["permissions"] == may
        assert job["timeout-minutes"] <= 45
    for step in steps_of(project[0]):
        if step.get("uses", "").startswith("actions/checkout"):
            assert step["with"] == {"persist-credentials": False}


def test_only_what_passed_the_tests_is_published(project):
    folder, answers = project
    before = ["test"] if answers.get("starter") == "none" else ["check", "test"]
    assert workflow_of(folder)["jobs"]["publish"]["needs"] == before
    stages = yaml.safe_load((folder / GITLAB).read_text())["stages"]
    assert stages == [*before, "image"]


def test_the_targets_of_make_that_are_called_are_there(project):
    folder, answers = project
    called = {
        word
        for line in scripts(folder)
        for make in re.findall(r"^make (.*)$", line, re.MULTILINE)
        for word in re.sub(r"\w+=('[^']*'|\S*)", "", make).split()
    }
    if answers.get("starter") == "none":
        assert called == set()
        return
    assert called == {"develop", "check-style", "check-types", "coverage"}
    makefile = (folder / "Makefile").read_text()
    assert called <= set(re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE))


def test_tests_run_on_every_supported_python_and_both_databases(project):
    folder, answers = project
    matrix = workflow_of(folder)["jobs"]["test"]["strategy"]["matrix"]["python"]
    gitlab = jobs_of_gitlab(folder)["tests"]
    if answers.get("starter") == "none":
        # Which it supports is not known: the image's.
        assert len(matrix) == 1
        assert gitlab["image"] == f"python:{matrix[0]}"
    else:
        assert matrix == ["3.11", "3.12", "3.13"]
        assert gitlab["parallel"]["matrix"] == [{"PYTHON_SERIES": matrix}]
    test = workflow_of(folder)["jobs"]["test"]
    on_server = answers.get("database") == "postgresql"
    assert ("services" in test) == ("services" in gitlab) == on_server
    urls = re.findall(r"DATABASE_URL[:=] ?(\S+)", (folder / WORKFLOW).read_text())
    assert urls == ["postgresql://postgres@localhost:5432/postgres"] * on_server


def test_coverage_is_kept_as_a_page_and_as_xml(project):
    folder, _ = project
    (upload,) = [s for s in steps_of(folder) if "upload-artifact" in s.get("uses", "")]
    assert upload["with"]["path"].split() == ["htmlcov/", "coverage.xml"]
    kept = jobs_of_gitlab(folder)["tests"]["artifacts"]
    assert kept["paths"] == ["htmlcov/", "coverage.xml"]
    assert kept["reports"]["coverage_report"]["path"] == "coverage.xml"


def test_gitlab_reads_the_total_that_coverage_prints(project):
    pattern = jobs_of_gitlab(project[0])["tests"]["coverage"].strip("/")
    printed = "TOTAL                        120      3     22      1    97%\n"
    assert re.search(pattern, printed, re.MULTILINE)[1] == "97"


@pytest.mark.parametrize("name", ["publish", "build"])
def test_github_builds_for_both_processors(project, name):
    (step,) = [
        s for s in workflow_of(project[0])["jobs"][name]["steps"]
        if "build-push-action" in s.get("uses", "")
    ]  # fmt: skip
    given = step["with"]
    assert given["platforms"] == "linux/amd64,linux/arm64"
    assert given["push"] is (name == "publish")
    if given["push"]:
        assert (given["sbom"], given["provenance"]) == (True, "mode=max")


def test_gitlab_builds_for_both_processors_and_says_what_is_inside(project):
    jobs = jobs_of_gitlab(project[0])
    tried, published = "\n".join(jobs["image tried"]["script"]), "\n".join(jobs["image published"]["script"])  # fmt: skip  # noqa: E501
    for script in (tried, published):
        assert "--platform linux/amd64,linux/arm64" in script
    assert "--push" not in tried
    assert "--sbom=true --provenance=mode=max" in published


def test_no_image_is_called_latest(project):
    folder, _ = project
    text = (folder / WORKFLOW).read_text() + (folder / GITLAB).read_text()
    assert ":latest" not in text
    assert "flavor: latest=false" in text
