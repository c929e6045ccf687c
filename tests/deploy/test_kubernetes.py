"""The manifests are valid, run what the Procfile runs, and set settings that there are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings

from localservices.pipeline import lines_of, procfile
from messaging.service import services
from runtime import health

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "kubernetes"
LAST_THREE = ("1.35", "1.36", "1.37")
#: Of operators; Kubernetes itself does not know them.
OPERATED = {
    "RabbitmqCluster",
    "MongoDBCommunity",
    "ServiceMonitor",
    "PodMonitor",
    "ScaledObject",
    "TriggerAuthentication",
}

Manifest = dict[str, Any]


def manifests(folder: Path) -> Iterator[Manifest]:
    """All that the kustomization in the folder lists, as far down as it goes."""
    for listed in yaml.safe_load((folder / "kustomization.yaml").read_text())["resources"]:
        path = folder / listed
        if path.is_dir():
            yield from manifests(path)
        else:
            yield from yaml.safe_load_all(path.read_text())


SMALL = list(manifests(FOLDER / "overlays" / "small"))
PRODUCTION = list(manifests(FOLDER / "overlays" / "production"))
WEBHOOKS = list(manifests(FOLDER / "components" / "webhooks"))
ISSUER = list(manifests(FOLDER / "components" / "issuer"))
#: Those of the pipeline; the proxy runs another image.
OURS = [each for each in SMALL if each["metadata"]["name"] != "proxy"]
DEPLOYMENTS = {each["metadata"]["name"]: each for each in OURS if each["kind"] == "Deployment"}
PODS = {
    each["metadata"]["name"]: each["spec"]["template"]["spec"]
    for each in OURS
    if each["kind"] in ("Deployment", "Job")
}


def container(name: str) -> Manifest:
    (only,) = PODS[name]["containers"]
    return only


@pytest.mark.parametrize("version", LAST_THREE)
def test_kubernetes_takes_them(version: str) -> None:
    # Its import takes longer than all other files' together.
    import kubernetes_validate

    for each in (*PRODUCTION, *WEBHOOKS, *ISSUER):
        if each["kind"] not in OPERATED:
            kubernetes_validate.validate(each, version, strict=True)


def test_every_file_is_in_a_kustomization() -> None:
    for listing in FOLDER.rglob("kustomization.yaml"):
        listed = yaml.safe_load(listing.read_text())["resources"]
        files = {path.name for path in listing.parent.glob("*.yaml")} - {"kustomization.yaml"}
        assert files == {name for name in listed if name.endswith(".yaml")}, listing


def test_webhooks_are_what_their_procfile_says_in_pods_like_the_others() -> None:
    lines = lines_of(ROOT / "Procfile.webhooks")
    pods = {
        each["metadata"]["name"]: each["spec"]["template"]["spec"]
        for each in WEBHOOKS
        if each["kind"] == "Deployment"
    }

    assert pods.keys() == lines.keys()
    for name, pod in pods.items():
        (only,) = pod["containers"]
        assert " ".join(only["args"]) == lines[name]
        assert pod["securityContext"] == PODS["billing"]["securityContext"]
        assert only["securityContext"] == container("billing")["securityContext"]
        # The deliverer has the worker's login.
        assert pod["volumes"][-1]["secret"]["secretName"] == "ordersite-webhooks"


def test_web_reaches_an_issuer_that_the_settings_name_by_https() -> None:
    (policy,) = ISSUER
    web = DEPLOYMENTS["web"]["spec"]["template"]["metadata"]["labels"]

    assert policy["spec"]["podSelector"]["matchLabels"].items() <= web.items()
    assert policy["spec"]["egress"] == [{"ports": [{"protocol": "TCP", "port": 443}]}]


def test_every_process_runs_by_its_own_command() -> None:
    assert DEPLOYMENTS.keys() == procfile().keys()
    for name, line in procfile().items():
        # Kubernetes shares the CPU by requests, not by niceness, and web listens for all.
        wanted = re.sub(r"^nice -n \d+ ", "", line).replace(
            "--host ${WEB_ADDRESS:-127.0.0.1} --port ${WEB_PORT:-8000}", "--host 0.0.0.0"
        )
        assert " ".join(container(name)["args"]) == wanted


@pytest.mark.parametrize("name", sorted(PODS))
def test_a_pod_may_do_little(name: str) -> None:
    pod, its_container = PODS[name], container(name)

    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert f"USER {pod['securityContext']['runAsUser']}:" in (ROOT / "Dockerfile").read_text()
    assert its_container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {"requests", "limits"} == its_container["resources"].keys()


@pytest.mark.parametrize("name", sorted(PODS))
def test_every_setting_is_one(name: str) -> None:
    (public,) = [each["data"] for each in SMALL if each["kind"] == "ConfigMap"]
    source = (ROOT / "ordersite" / "settings.py").read_text()
    known = set(re.findall(r"setting\(\s*env\.\w+,\s*\"([A-Z_]+)\"", source)) | {"HEARTBEAT_FILE"}
    of_pod = {each["name"].removesuffix("_FILE") for each in container(name)["env"]} - {"HEARTBEAT"}

    assert {"MONGODB_URL", "AMQP_URL", "DJANGO_SECRET_KEY"} <= of_pod
    assert (of_pod | public.keys()) - known == set()


@pytest.mark.parametrize("name", sorted(PODS))
def test_each_pod_has_secrets_of_its_own_from_files(name: str) -> None:
    (volume,) = [each for each in PODS[name]["volumes"] if "secret" in each]
    (mount,) = [each for each in container(name)["volumeMounts"] if each["name"] == volume["name"]]
    paths = [each["value"] for each in container(name)["env"] if each["value"].startswith("/run/")]

    assert volume["secret"]["secretName"] == f"ordersite-{name}"
    assert len(paths) == 3
    assert all(path.startswith(f"{mount['mountPath']}/") for path in paths)


@pytest.mark.parametrize("name", sorted(DEPLOYMENTS))
def test_each_is_probed_and_stops_in_time(name: str) -> None:
    its_container = container(name)
    if name == "web":
        assert its_container["livenessProbe"]["httpGet"]["path"] == "/health/live"
        assert its_container["readinessProbe"]["httpGet"]["path"] == health.WEB_PATH
    else:
        command = its_container["livenessProbe"]["exec"]["command"]
        assert command[:3] == ["python", "-m", "runtime.health"]
        assert command[3] == (name if name in health.PROCESSES else "worker")
    if name in services():
        grace_seconds = PODS[name]["terminationGracePeriodSeconds"]
        assert grace_seconds > settings.TASK_TIME_LIMIT_SECONDS


def test_the_proxy_has_the_configuration_that_is_tested() -> None:
    listing = yaml.safe_load((ROOT / "deploy/proxy/kustomization.yaml").read_text())
    (generated,) = listing["configMapGenerator"]
    (proxy,) = [each for each in SMALL if each["kind"] == "Deployment" and each not in OURS]
    pod = proxy["spec"]["template"]["spec"]
    mounts = {each["name"]: each["mountPath"] for each in pod["containers"][0]["volumeMounts"]}
    (web,) = [each for each in SMALL if each["kind"] == "Service" and each in OURS]

    files = [each.rpartition("=")[2] for each in generated["files"]]
    assert all((ROOT / "deploy/proxy" / each).exists() for each in files)
    assert {"configMap": {"name": generated["name"]}, "name": "configuration"} in pod["volumes"]
    assert f"{mounts['configuration']}/nginx.conf" in pod["containers"][0]["command"]
    assert f"{mounts['tls']}/tls.crt" in (ROOT / "deploy/proxy/listen-tls.conf").read_text()
    upstream = f"server {web['metadata']['name']}:{web['spec']['ports'][0]['port']};"
    assert upstream in (ROOT / "deploy/proxy/nginx.conf").read_text()


def test_what_production_adds_is_of_processes_that_there_are() -> None:
    listed = yaml.safe_load((FOLDER / "overlays/production/kustomization.yaml").read_text())
    scaled = {
        each["metadata"]["name"]: each["spec"]
        for each in PRODUCTION
        if each["kind"] == "ScaledObject"
    }

    assert {each["name"] for each in listed["replicas"]} <= DEPLOYMENTS.keys()
    assert scaled.keys() == services().keys()
    for name, spec in scaled.items():
        assert spec["scaleTargetRef"] == {"name": name}
        assert spec["triggers"][0]["metadata"]["queueName"] == name
        # Messages that a worker holds are counted over HTTP alone.
        assert spec["triggers"][0]["metadata"]["protocol"] == "http"
    for each in PRODUCTION:
        if each["kind"] == "PodDisruptionBudget":
            labels = each["spec"]["selector"]["matchLabels"]
            assert labels["app.kubernetes.io/component"] in DEPLOYMENTS


def test_both_overlays_take_the_image_of_this_release() -> None:
    for listing in FOLDER.glob("overlays/*/kustomization.yaml"):
        (image,) = yaml.safe_load(listing.read_text())["images"]
        assert image == {"name": "ordersite", "newName": "ordersite", "newTag": settings.RELEASE}
