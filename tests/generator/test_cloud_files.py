"""What Heroku and Cloud Run read: schemas, references, settings; the steps in bash are run."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from functools import cache
from importlib.metadata import distribution
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from carboy.generator import render
from carboy.settings import Settings

KUBERNETES = "1.37"
TARGETS = ["compose", "heroku", "cloudrun", "kubernetes", "github", "gitlab"]
PROJECTS = {
    "everything": {"name": "demo-shop", "deploy": TARGETS},
    "alone": {"name": "demo-shop"},
    "one file": {"name": "demo", "starter": "single"},
    "a long name": {"name": "a-very-long-name-for-a-service-of-some-kind"},
    "adopted": {"name": "old", "starter": "none", "app": "old:app", "migrations": False},
    "adopted with migrations": {"name": "old", "starter": "none", "app": "old.web:create_app"},
}
SECRETS = {
    "SECRET_KEY": "Zk3x-9Qw7_Lm2vBn8Rt5Yp1Hs4Jd6Fg0",
    "DATABASE_URL": "postgresql://shop:p@/shop?host=/cloudsql/p:r:i",
}
# Of Knative's fields, what Cloud Run's API describes as supported in a container.
SUPPORTED = {
    "args", "command", "env", "image", "livenessProbe", "name", "ports", "resources",
    "startupProbe", "volumeMounts", "workingDir",
}  # fmt: skip
PROGRAMS = {entry.name for name in ("carboy", "flask") for entry in distribution(name).entry_points}


@pytest.fixture(scope="module")
def render_once(tmp_path_factory):
    @cache
    def rendered(project, target):
        folder = tmp_path_factory.mktemp("project")
        answers = {"database": "postgresql", "deploy": [target], **PROJECTS[project]}
        render(folder, answers)
        return folder

    return rendered


@pytest.fixture(params=PROJECTS)
def heroku(request, render_once):
    return render_once(request.param, "heroku"), PROJECTS[request.param]


@pytest.fixture(params=PROJECTS)
def cloudrun(request, render_once):
    return render_once(request.param, "cloudrun"), PROJECTS[request.param]


def run_tool(name, *arguments):
    tool = Path(sys.executable).with_name(name)
    return subprocess.run([tool, *arguments], capture_output=True, text=True, check=False)


def processes(folder):
    found = {}
    for line in (folder / "Procfile").read_text().splitlines():
        # Heroku's own pattern; a line that does not match is passed over without a word.
        name, command = re.fullmatch(r"([a-zA-Z0-9_-]+):\s*(\S.*)", line).groups()
        found[name] = shlex.split(command)
    return found


def test_the_procfile_has_a_web_process_and_releases_where_there_are_migrations(heroku):
    folder, answers = heroku
    found = processes(folder)
    app = answers.get("app", "wsgi:app")
    assert found.pop("web") == ["carboy", "run", app]
    if answers.get("migrations", True):
        release = ["flask", "--app", app.partition(":")[0], "db", "upgrade"]
        assert found.pop("release") == release
    assert found == {}
    assert {command[0] for command in processes(folder).values()} <= PROGRAMS


def test_heroku_takes_the_python_of_the_image(heroku):
    version = (heroku[0] / ".python-version").read_text()
    assert re.fullmatch(r"3\.\d+\n", version)
    assert f"FROM python:{version.strip()}-slim" in (heroku[0] / "Dockerfile").read_text()


def test_the_variables_of_heroku_are_settings_that_production_accepts(heroku):
    told = json.loads((heroku[0] / "app.json").read_text())["env"]
    assert told.pop("SECRET_KEY") == {
        "generator": "secret",
        "description": "Signs sessions, cursors and links.",
    }
    given = {name: variable["value"] for name, variable in told.items()}
    assert given.keys() <= Settings.declarations().keys()
    settings = Settings.load(environ=given | SECRETS)
    assert settings.APP_ENV == "Production"
    # Heroku kills thirty seconds after SIGTERM.
    assert settings.STOP_DELAY_S + settings.GUNICORN_GRACEFUL_TIMEOUT < 30


def test_cloud_build_accepts_its_file(cloudrun):
    done = run_tool(
        "check-jsonschema", "--builtin-schema", "vendor.cloudbuild", cloudrun[0] / "cloudbuild.yaml"
    )
    assert done.returncode == 0, done.stdout


def build_of(folder):
    return yaml.safe_load((folder / "cloudbuild.yaml").read_text())


def substituted(text, substitutions):
    """Put values in for names as Cloud Build does, which knows ``$$`` for a dollar sign."""

    def value(match):
        return "$" if match[0] == "$$" else substitutions[match["name"]]

    return re.sub(r"\$\$|\$\{(?P<name>\w+)\}", value, text)


def values_of(build):
    known = {"PROJECT_ID": "some-project", "BUILD_ID": "0b1c"}
    for name, value in build["substitutions"].items():
        known[name] = substituted(value, known)
    return known


def filled_in(folder, scratch):
    """Run the step that fills the files in, as Cloud Build would, and read them."""
    build = build_of(folder)
    (step,) = [step for step in build["steps"] if step["id"] == "fill-in"]
    copy = scratch / "deploy" / "cloudrun"
    copy.mkdir(parents=True)
    for file in (folder / "deploy" / "cloudrun").iterdir():
        (copy / file.name).write_text(file.read_text())
    (scratch / "image.txt").write_text("registry.example/demo@sha256:0a1b\n")
    words = [substituted(word, values_of(build)) for word in step["args"]]
    subprocess.run([step["entrypoint"], *words], cwd=scratch, check=True)
    return {file.name: yaml.safe_load(file.read_text()) for file in copy.iterdir()}


def pods_of(files):
    service = files["service.yaml"]["spec"]["template"]["spec"]
    if "migration.yaml" not in files:
        return [service]
    return [service, files["migration.yaml"]["spec"]["template"]["spec"]["template"]["spec"]]


def test_the_steps_build_push_migrate_deploy(cloudrun):
    folder, answers = cloudrun
    migrates = answers.get("migrations", True)
    expected = ["build", "push", "fill-in", *(["migrate"] if migrates else []), "deploy"]
    build = build_of(folder)
    assert [step["id"] for step in build["steps"]] == expected
    assert (folder / "deploy" / "cloudrun" / "migration.yaml").exists() == migrates
    for step in build["steps"]:
        assert re.search(r":\d+\.\d+\.\d+(-[a-z]+)?$", step["name"]), "a version, never latest"


def test_every_substitution_is_known_and_every_file_there(cloudrun):
    folder, _ = cloudrun
    build = build_of(folder)
    known = values_of(build)
    text = (folder / "cloudbuild.yaml").read_text()
    assert set(re.findall(r"\$\{(\w+)\}", text)) <= known.keys()
    # What Cloud Build would take for a name: `$NAME` without braces is nowhere.
    assert re.findall(r"(?<!\$)\$[A-Za-z_]", text) == []
    named = re.findall(r"deploy/cloudrun/[\w.]+\.yaml", text)
    assert "deploy/cloudrun/service.yaml" in named
    assert all((folder / name).is_file() for name in named)


def test_nothing_is_left_to_fill_in(cloudrun, tmp_path):
    files = filled_in(cloudrun[0], tmp_path)
    text = yaml.safe_dump(files)
    assert not re.search(r"IMAGE_BY_DIGEST|PROJECT_ID|DATABASE_INSTANCE", text)
    for pod in pods_of(files):
        assert pod["containers"][0]["image"] == "registry.example/demo@sha256:0a1b"
        account, _, place = pod["serviceAccountName"].partition("@")
        assert re.fullmatch(r"[a-z][a-z0-9-]{4,28}[a-z0-9]", account)
        assert place == "some-project.iam.gserviceaccount.com"
    annotations = files["service.yaml"]["spec"]["template"]["metadata"]["annotations"]
    instance = annotations["run.googleapis.com/cloudsql-instances"]
    assert instance == f"some-project:europe-west1:{cloudrun[1]['name']}"


def test_the_containers_are_those_of_kubernetes_less_what_cloud_run_lacks(cloudrun, tmp_path):
    files = filled_in(cloudrun[0], tmp_path)
    for pod in pods_of(files):
        own = {"containerConcurrency", "timeoutSeconds", "maxRetries"}
        spec = {name: value for name, value in pod.items() if name not in own}
        for container in spec["containers"]:
            assert container.keys() <= SUPPORTED
            assert container.get("command", ["carboy"])[0] in PROGRAMS
        # Kubernetes asks for what Cloud Run fills in by itself: a container's name, a probe's port.
        named = [{"name": "web", **container} for container in spec["containers"]]
        for container in named:
            for probe in ("startupProbe", "livenessProbe"):
                if probe in container:
                    container[probe]["httpGet"].setdefault("port", 8080)
        told = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}}
        kubernetes_validate.validate(
            told | {"spec": spec | {"containers": named}}, KUBERNETES, strict=True
        )


def test_the_service_is_one_of_knative_and_the_migration_one_of_cloud_run(cloudrun, tmp_path):
    files = filled_in(cloudrun[0], tmp_path)
    service = files["service.yaml"]
    assert (service["apiVersion"], service["kind"]) == ("serving.knative.dev/v1", "Service")
    assert service["spec"].keys() == {"template", "traffic"}
    assert sum(part["percent"] for part in service["spec"]["traffic"]) == 100
    revision = service["spec"]["template"]
    texts = [*revision["metadata"]["annotations"].values(), *service["metadata"]["annotations"].values()]  # fmt: skip  # noqa: E501
    assert all(isinstance(text, str) for text in texts)
    assert 1 <= revision["spec"]["timeoutSeconds"] <= 3600
    if "migration.yaml" in files:
        job = files["migration.yaml"]
        assert (job["apiVersion"], job["kind"]) == ("run.googleapis.com/v1", "Job")
        (step,) = [step for step in build_of(cloudrun[0])["steps"] if step["id"] == "migrate"]
        assert f"jobs execute {job['metadata']['name']} " in step["args"][1]


def test_probes_keep_to_the_limits_of_cloud_run(cloudrun, tmp_path):
    (container,) = pods_of(filled_in(cloudrun[0], tmp_path))[0]["containers"]
    startup, liveness = container["startupProbe"], container["livenessProbe"]
    assert startup["httpGet"]["path"] == "/health/ready"
    assert liveness["httpGet"]["path"] == "/health/live"
    assert startup["periodSeconds"] * startup["failureThreshold"] <= 240
    for probe in (startup, liveness):
        assert probe["timeoutSeconds"] <= probe["periodSeconds"]
    assert startup["timeoutSeconds"] > Settings.load(environ={}).HEALTH_TIMEOUT_S


def test_cloud_run_is_given_settings_that_production_accepts(cloudrun, tmp_path):
    for pod in pods_of(filled_in(cloudrun[0], tmp_path)):
        (container,) = pod["containers"]
        plain = {v["name"]: v["value"] for v in container["env"] if "value" in v}
        secret = {v["name"]: v["valueFrom"]["secretKeyRef"] for v in container["env"] if "valueFrom" in v}  # fmt: skip  # noqa: E501
        assert secret.keys() == {"SECRET_KEY", "DATABASE_URL"}
        assert all(reference["key"].isdigit() for reference in secret.values()), "a version"
        assert plain.keys() <= Settings.declarations().keys()
        settings = Settings.load(environ=plain | SECRETS)
        # Cloud Run kills ten seconds after SIGTERM.
        if "containerConcurrency" in pod:
            assert settings.STOP_DELAY_S + settings.GUNICORN_GRACEFUL_TIMEOUT < 10
            threads = settings.WEB_CONCURRENCY * settings.GUNICORN_THREADS
            assert pod["containerConcurrency"] == threads
