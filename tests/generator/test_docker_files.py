"""Image, compose, nginx and scripts of every kind of project, held against their judges."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from carboy.generator import render
from carboy.settings import Production

TOOLS = Path(sys.executable).parent
STARTERS = ("single", "module", "page", "model", "none")
NGINX = "deploy/nginx/nginx.conf"
SERVICE = "deploy/nginx/service.conf"


@pytest.fixture(scope="module")
def projects(tmp_path_factory):
    folder = tmp_path_factory.mktemp("projects")
    for starter in STARTERS:
        adopted = {"app": "shop:create_app", "migrations": False} if starter == "none" else {}
        answers = {"name": "demo-shop", "starter": starter, "database": "postgresql", **adopted}
        render(
            folder / starter,
            {**answers, "deploy": ["compose"]},
            wheel="carboy-1-py3-none-any.whl",
            version="1",
        )
    return folder


@pytest.fixture(params=STARTERS)
def project(request, projects):
    return projects / request.param


@pytest.fixture
def compose(project):
    return yaml.safe_load((project / "compose.yaml").read_text())


@pytest.fixture
def module(projects):
    return projects / "module"


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_hadolint_has_nothing_against_the_dockerfile(project):
    run(TOOLS / "hadolint", project / "Dockerfile")


def test_the_compose_files_keep_to_the_specification(project):
    files = sorted(project.glob("compose*.yaml"))
    assert len(files) == 3
    run(TOOLS / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", *files)


def test_shellcheck_has_nothing_against_the_scripts(project):
    scripts = sorted((project / "deploy").glob("*.sh"))
    assert [script.name for script in scripts] == ["prepare.sh", "release.sh"]
    assert all(script.stat().st_mode & 0o111 for script in scripts)
    run(TOOLS / "shellcheck", *scripts)


@pytest.mark.parametrize("server", ["http", "tls"])
def test_gixy_has_nothing_against_the_nginx_configuration(project, tmp_path, server):
    site = tmp_path / "site"
    shutil.copytree(project / "deploy/nginx", site)
    for file in site.rglob("*.conf"):
        text = file.read_text().replace("/etc/nginx/site/", f"{site}/")
        text = text.replace("/etc/nginx/server/", f"{site}/{server}/")
        file.write_text(text.replace("include /etc/nginx/mime.types;", ""))
    run(TOOLS / "gixy-next", site / "nginx.conf")


def test_what_the_image_copies_is_there_and_let_through(project):
    if project.name == "none":
        pytest.skip("everything is copied; .dockerignore says what not")
    dockerfile = (project / "Dockerfile").read_text()
    copied = [
        source.rstrip("/")
        for sources in re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile, re.MULTILINE)
        for source in sources.split()
    ]
    let_through = re.findall(r"^!(.+)$", (project / ".dockerignore").read_text(), re.MULTILINE)
    assert sorted(copied) == sorted(let_through)
    made_later = {"requirements.txt", "wheels"}
    assert [
        name for name in copied if name not in made_later and not (project / name).exists()
    ] == []
    assert "." not in copied


def test_the_base_is_pinned_and_no_frontend_is_pulled(project):
    dockerfile = (project / "Dockerfile").read_text()
    assert re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE) == ["python:3.13-slim"] * 2
    assert "syntax=" not in dockerfile


def test_images_of_others_have_a_version(compose):
    images = {service["image"] for service in compose["services"].values()}
    assert {image.partition(":")[2] for image in images if "$" not in image} == {"1.30", "17", "8"}


def test_only_nginx_is_published(compose):
    assert [name for name, service in compose["services"].items() if "ports" in service] == [
        "nginx"
    ]


def test_what_web_is_told_are_settings(compose):
    declared = Production.declarations()
    told = compose["services"]["web"]["environment"]
    assert [name for name in told if name.removesuffix("_FILE") not in declared] == []


def test_secrets_are_files_that_the_script_makes(project, compose):
    (script,) = project.glob("deploy/prepare.sh")
    made = re.findall(r"^keep (\w+)", script.read_text(), re.MULTILINE)
    assert {f"deploy/secrets/{name}" for name in made} == {
        secret["file"] for secret in compose["secrets"].values()
    }


def test_nginx_and_service_allow_bodies_of_one_size(project, compose):
    limit = int(compose["services"]["web"]["environment"]["MAX_CONTENT_LENGTH"])
    megabytes = re.search(r"client_max_body_size (\d+)m;", (project / SERVICE).read_text())[1]
    assert (
        int(megabytes) * 2**20
        == limit
        == Production.declarations()["MAX_CONTENT_LENGTH"][1].default
    )


def test_nginx_lets_go_of_a_connection_before_the_service_would_close_it(project, compose):
    told = compose["services"]["web"]["environment"]
    upstream = re.search(r"upstream service \{.*?\}", (project / NGINX).read_text(), re.DOTALL)[0]
    kept_s = int(re.search(r"keepalive_timeout (\d+)s;", upstream)[1])
    assert kept_s < float(told["STOP_DELAY_S"])
    assert kept_s < int(told["GUNICORN_KEEPALIVE"])


def test_everybody_is_given_the_time_a_stop_takes(project, compose):
    web = compose["services"]["web"]
    told = web["environment"]
    drain_s = float(told["STOP_DELAY_S"]) + int(told["GUNICORN_GRACEFUL_TIMEOUT"])
    assert int(web["stop_grace_period"].removesuffix("s")) > drain_s
    read_s = int(re.search(r"proxy_read_timeout (\d+)s;", (project / SERVICE).read_text())[1])
    nginx_s = int(re.search(r"worker_shutdown_timeout (\d+)s;", (project / NGINX).read_text())[1])
    assert read_s == int(told["GUNICORN_GRACEFUL_TIMEOUT"])
    patience_s = int(compose["services"]["nginx"]["stop_grace_period"].removesuffix("s"))
    assert read_s < nginx_s < patience_s


def test_the_script_makes_secrets_once_that_containers_can_read_and_neighbours_cannot(module):
    (module / "deploy/nginx/nginx.conf").chmod(0o600)
    assert run(module / "deploy/prepare.sh").count("Made ") == 4
    secrets = module / "deploy/secrets"
    kept = {file.name: file.read_text() for file in secrets.iterdir()}
    assert secrets.stat().st_mode & 0o777 == 0o700
    assert (secrets / "secret_key").stat().st_mode & 0o777 == 0o444
    assert (module / "deploy/nginx/nginx.conf").stat().st_mode & 0o777 == 0o644
    assert kept["database_url"] == (
        f"postgresql://demo_shop:{kept['database_password']}@postgres:5432/demo_shop"
    )
    assert run(module / "deploy/prepare.sh") == ""
    assert {file.name: file.read_text() for file in secrets.iterdir()} == kept
    settings = {"APP_ENV": "Production", "TRUSTED_HOSTS": "localhost"}
    for name in ("SECRET_KEY", "METRICS_TOKEN"):
        settings[f"{name}_FILE"] = str(secrets / name.lower())
    assert kept["secret_key"] == Production.load(environ=settings).SECRET_KEY
