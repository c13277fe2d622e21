"""The manifests as kustomize builds them.

No package index has a kustomize of this decade, so a small builder stands in for it. It refuses
whatever it does not know, and where kubectl is installed its result is held against the real one.
"""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from carboy.generator import render
from carboy.settings import Settings

_spec = spec_from_file_location("kustomization", Path(__file__).with_name("kustomization.py"))
kustomization = module_from_spec(_spec)
_spec.loader.exec_module(kustomization)
build = kustomization.build
containers = kustomization.containers
pod_of = kustomization.pod_of

KUBERNETES = "1.37"
ENVIRONMENTS = ("staging", "production")
PROJECTS = {
    "a project": {"name": "demo-shop", "starter": "module"},
    "a project without accounts": {"name": "demo", "starter": "single"},
    "an adopted app": {"name": "old", "starter": "none", "app": "old:app", "migrations": False},
}
SECRETS = {
    "SECRET_KEY": "Zk3x-9Qw7_Lm2vBn8Rt5Yp1Hs4Jd6Fg0",
    "DATABASE_URL": "postgresql://u:p@db/shop",
}


@pytest.fixture(scope="module")
def folder_of(tmp_path_factory):
    """Render a project, once, and name its folder of manifests."""

    @cache
    def rendered(project):
        folder = tmp_path_factory.mktemp("project")
        answers = {"database": "postgresql", "deploy": ["kubernetes"], **PROJECTS[project]}
        render(folder, answers)
        return folder / "deploy" / "kubernetes"

    return rendered


@pytest.fixture(params=[(p, e) for p in PROJECTS for e in ENVIRONMENTS], ids=", ".join)
def built(request, folder_of):
    project, environment = request.param
    return build(folder_of(project) / "overlays" / environment)


def of_kind(objects, kind):
    (found,) = [each for each in objects if each["kind"] == kind]
    return found


def with_pods(objects):
    return [each for each in objects if pod_of(each)]


def settings_of(objects):
    return of_kind(objects, "ConfigMap")["data"]


def key(each):
    return each["kind"], each["metadata"]["name"]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("project", PROJECTS)
def test_kubectl_builds_the_same(project, environment, folder_of):
    if not shutil.which("kubectl"):
        pytest.skip("kubectl is not installed")
    told = subprocess.run(["kubectl", "version", "--client"], capture_output=True, check=True)
    if b"Kustomize Version: v5" not in told.stdout:
        pytest.skip("the kustomize in this kubectl is not of version 5")
    overlay = folder_of(project) / "overlays" / environment
    done = subprocess.run(
        ["kubectl", "kustomize", overlay], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    real = list(yaml.safe_load_all(done.stdout))
    assert sorted(real, key=key) == sorted(build(overlay), key=key)


def test_every_object_fits_the_schema(built):
    for each in built:
        kubernetes_validate.validate(each, KUBERNETES, strict=True)


def test_a_misspelt_field_would_be_noticed(built):
    of_kind(built, "Deployment")["spec"]["minReadySecond"] = 5
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(of_kind(built, "Deployment"), KUBERNETES, strict=True)


def test_every_reference_leads_somewhere(built):
    deployment = of_kind(built, "Deployment")
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    name = deployment["metadata"]["name"]
    selectors = [
        deployment["spec"]["selector"]["matchLabels"],
        of_kind(built, "Service")["spec"]["selector"],
        of_kind(built, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
        of_kind(built, "NetworkPolicy")["spec"]["podSelector"]["matchLabels"],
        *(
            constraint["labelSelector"]["matchLabels"]
            for constraint in pod_of(deployment)["topologySpreadConstraints"]
        ),
    ]
    assert all(selector.items() <= labels.items() for selector in selectors)
    assert of_kind(built, "HorizontalPodAutoscaler")["spec"]["scaleTargetRef"]["name"] == name
    rule = of_kind(built, "Ingress")["spec"]["rules"][0]
    backend = rule["http"]["paths"][0]["backend"]["service"]
    (port,) = of_kind(built, "Service")["spec"]["ports"]
    assert backend == {"name": of_kind(built, "Service")["metadata"]["name"], "port": {"name": port["name"]}}  # fmt: skip  # noqa: E501
    assert port["targetPort"] == containers([deployment])[0]["ports"][0]["name"]
    for each in with_pods(built):
        pod = pod_of(each)
        assert pod["serviceAccountName"] == of_kind(built, "ServiceAccount")["metadata"]["name"]
        for container in pod["containers"]:
            mounts = {mount["name"] for mount in container["volumeMounts"]}
            assert mounts == {volume["name"] for volume in pod["volumes"]}
            (source,) = container["envFrom"]
            assert source["configMapRef"]["name"] == of_kind(built, "ConfigMap")["metadata"]["name"]


def test_everything_is_in_the_namespace_of_its_environment(built):
    (namespace,) = {each["metadata"]["namespace"] for each in built}
    assert namespace.endswith(("-staging", "-production"))


def test_the_settings_are_accepted_in_production(built):
    given = settings_of(built) | SECRETS
    assert given.keys() <= Settings.declarations().keys()
    settings = Settings.load(environ=given)
    host = of_kind(built, "Ingress")["spec"]["rules"][0]["host"]
    assert (host,) == settings.TRUSTED_HOSTS
    assert of_kind(built, "Ingress")["spec"]["tls"][0]["hosts"] == [host]


def test_a_pod_has_time_to_drain(built):
    settings = Settings.load(environ=settings_of(built) | SECRETS)
    pod = pod_of(of_kind(built, "Deployment"))
    needed = settings.STOP_DELAY_S + settings.GUNICORN_GRACEFUL_TIMEOUT
    assert pod["terminationGracePeriodSeconds"] > needed
    (container,) = pod["containers"]
    ready = container["readinessProbe"]
    assert ready["periodSeconds"] <= settings.STOP_DELAY_S
    assert ready["timeoutSeconds"] > settings.HEALTH_TIMEOUT_S


def test_only_readiness_asks_the_dependencies(built):
    (container,) = containers([of_kind(built, "Deployment")])
    paths = {n: container[n]["httpGet"]["path"] for n in container if n.endswith("Probe")}
    assert paths == {
        "startupProbe": "/health/live",
        "livenessProbe": "/health/live",
        "readinessProbe": "/health/ready",
    }
    assert {container[name]["httpGet"]["port"] for name in paths} == {"http"}


def test_a_release_takes_no_pod_away_before_another_is_ready(built):
    deployment = of_kind(built, "Deployment")["spec"]
    assert deployment["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    assert "replicas" not in deployment
    assert of_kind(built, "HorizontalPodAutoscaler")["spec"]["minReplicas"] >= 2


def test_the_pods_fit_the_connections_of_the_database(built):
    settings = Settings.load(environ=settings_of(built) | SECRETS)
    # One for each thread, one for the readiness check of each process.
    of_a_pod = settings.WEB_CONCURRENCY * (settings.GUNICORN_THREADS + 1)
    autoscaler = of_kind(built, "HorizontalPodAutoscaler")["spec"]
    surge_and_migration = of_a_pod + 1
    assert autoscaler["maxReplicas"] * of_a_pod + surge_and_migration <= 100 - 3


def test_a_container_is_locked_down(built):
    for each in with_pods(built):
        pod = pod_of(each)
        assert pod["securityContext"] == {
            "runAsNonRoot": True,
            "seccompProfile": {"type": "RuntimeDefault"},
        }
        assert pod["automountServiceAccountToken"] is False
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert {"/tmp", "/app/instance"} == {m["mountPath"] for m in container["volumeMounts"]}
            assert container["resources"]["limits"]["memory"]
            assert container["resources"]["requests"].keys() == {"cpu", "memory"}


def test_no_secret_is_written_down(built):
    assert "Secret" not in {each["kind"] for each in built}
    assert not settings_of(built).keys() & {"SECRET_KEY", "DATABASE_URL", "REDIS_URL"}
    for container in containers(built):
        for variable in container["env"]:
            assert variable.keys() == {"name", "valueFrom"}
            assert variable["valueFrom"]["secretKeyRef"]["key"] == variable["name"]


def test_no_image_is_named_before_it_is_released(built):
    names = {container["image"].partition("/")[0] for container in containers(built)}
    assert names == {"image.invalid"}


def test_the_migration_is_one_job_and_only_where_there_are_migrations(folder_of):
    with_some = build(folder_of("a project") / "overlays" / "production")
    job = of_kind(with_some, "Job")
    assert containers([job])[0]["command"] == ["flask", "--app", "wsgi", "db", "upgrade"]
    assert pod_of(job)["restartPolicy"] == "Never"
    without = build(folder_of("an adopted app") / "overlays" / "production")
    assert "Job" not in {each["kind"] for each in without}
