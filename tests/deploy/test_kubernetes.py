"""The manifests are valid, run what the Procfile runs, and set settings that there are."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings

from localservices.pipeline import lines_of, procfile
from messaging.service import services
from ordersite.web import server
from runtime import health
from webhooks import sending

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
ADMINISTRATOR = list(manifests(FOLDER / "overlays" / "administrator"))
#: Those of the pipeline; the proxy runs another image.
OURS = [each for each in SMALL if each["metadata"]["name"] != "proxy"]
DEPLOYMENTS = {each["metadata"]["name"]: each for each in OURS if each["kind"] == "Deployment"}
PODS = {
    each["metadata"]["name"]: each["spec"]["template"]["spec"]
    for each in OURS
    if each["kind"] in ("Deployment", "Job")
} | {each["metadata"]["name"]: each["spec"] for each in ADMINISTRATOR}
PUBLIC = next(each["data"] for each in SMALL if each["kind"] == "ConfigMap")
#: Read by Python's TLS and by the probe, which are none of the site's settings.
READ_BY_OTHERS = {"SSL_CERT_FILE", "HEARTBEAT_FILE"}


def container(name: str) -> Manifest:
    (only,) = PODS[name]["containers"]
    return only


@pytest.mark.parametrize("version", LAST_THREE)
def test_kubernetes_takes_them(version: str) -> None:
    # Its import takes longer than all other files' together.
    import kubernetes_validate

    for each in (*PRODUCTION, *WEBHOOKS, *ISSUER, *ADMINISTRATOR):
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
        longest_seconds = (
            sending.ANSWER_SECONDS if name == "deliverer" else settings.TASK_TIME_LIMIT_SECONDS
        )
        assert pod["terminationGracePeriodSeconds"] > longest_seconds
        assert secrets_of(pod) == ["ordersite", f"ordersite-{name}"]


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
            "--host ${WEB_ADDRESS:-127.0.0.1} --port ${WEB_PORT:-8000}", "--host ::"
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
    source = (ROOT / "ordersite" / "settings.py").read_text()
    known = set(re.findall(r"setting\(\s*env\.\w+,\s*\"([A-Z_]+)\"", source)) | READ_BY_OTHERS
    of_pod = {each["name"].removesuffix("_FILE") for each in container(name)["env"]} - {"HEARTBEAT"}

    assert {"MONGODB_URL", "AMQP_URL", "DJANGO_SECRET_KEY"} <= of_pod
    assert (of_pod | PUBLIC.keys()) - known == set()


@pytest.mark.parametrize("name", sorted(PODS))
def test_each_pod_has_secrets_of_its_own_from_files(name: str) -> None:
    (mount,) = [each for each in container(name)["volumeMounts"] if each["name"] == "secrets"]
    files = {each["name"]: each["value"] for each in container(name)["env"]}
    of_all = yaml.safe_load((ROOT / "compose.production.yaml").read_text())["x-pipeline"]["secrets"]

    assert secrets_of(PODS[name]) == ["ordersite", f"ordersite-{name}"]
    # Named as `access apply` writes them, which `kubectl create secret --from-env-file` takes.
    for setting in ("DJANGO_SECRET_KEY", "MONGODB_URL", "AMQP_URL"):
        assert files[f"{setting}_FILE"] == f"{mount['mountPath']}/{setting}"
    assert PUBLIC["SSL_CERT_FILE"] == f"{mount['mountPath']}/authority.pem"
    assert "authority.pem" in of_all


def secrets_of(pod: Manifest) -> list[str]:
    (volume,) = [each["projected"] for each in pod["volumes"] if each["name"] == "secrets"]
    # A password is nobody's but its process's.
    assert volume["defaultMode"] == 0o440
    return [source["secret"]["name"] for source in volume["sources"]]


def test_it_sets_what_compose_sets_for_production() -> None:
    """The same proxy stands before it, and the same doctor looks at the same servers."""
    compose = yaml.safe_load((ROOT / "compose.production.yaml").read_text())["x-pipeline"]
    #: Other files here, one for all pods, or off until it is asked for.
    differently = {"DJANGO_SECRET_KEY_FILE", "OTEL_EXPORTER_OTLP_ENDPOINT", "WEBHOOKS"}

    assert compose["environment"].keys() - differently <= PUBLIC.keys()
    for name in ("SECURE_PROXY_SSL_HEADER", "METRICS_PORT", "RABBITMQ_MANAGEMENT_URL"):
        assert PUBLIC[name] == compose["environment"][name]


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
        # A release that waits for its migrations does not take the place of the one before.
        ready = its_container["readinessProbe"]["exec"]["command"]
        assert ready == [*command[:3], health.READY, command[3]]
    grace_seconds = PODS[name]["terminationGracePeriodSeconds"]
    if name in services():
        assert grace_seconds > settings.TASK_TIME_LIMIT_SECONDS
    if name == "web":
        (pause, seconds) = its_container["lifecycle"]["preStop"]["exec"]["command"]
        assert pause == "sleep"
        assert grace_seconds > int(seconds) + server.STOP_SECONDS


def test_prometheus_finds_a_port_of_each_pod() -> None:
    """It looks for the ports that a container declares: one that only listens is not seen."""
    for each in (*DEPLOYMENTS.values(), *(each for each in WEBHOOKS if "template" in each["spec"])):
        (only,) = each["spec"]["template"]["spec"]["containers"]
        ports = {port["name"]: port["containerPort"] for port in only["ports"]}
        assert ports["metrics"] == int(PUBLIC["METRICS_PORT"])
        assert ports.keys() == {"metrics"} | ({"http"} if only["name"] == "web" else set())
    (pods,) = [each for each in PRODUCTION if each["kind"] == "PodMonitor"]
    assert [each["port"] for each in pods["spec"]["podMetricsEndpoints"]] == ["metrics"]
    (policy,) = [each for each in SMALL if each["metadata"]["name"] == "ordersite-metrics"]
    (rule,) = policy["spec"]["ingress"]
    assert [each["port"] for each in rule["ports"]] == [int(PUBLIC["METRICS_PORT"])]


@pytest.mark.parametrize("works", [True, False])
def test_a_backup_has_its_name_once_it_is_complete(
    programs: None, tmp_path: Path, works: bool
) -> None:
    (job,) = [each["spec"] for each in PRODUCTION if each["kind"] == "CronJob"]
    pod = job["jobTemplate"]["spec"]["template"]["spec"]
    (only,) = pod["containers"]
    (tmp_path / "old.archive").touch()
    os.utime(tmp_path / "old.archive", (0, 0))
    mongodump = f'mongodump() {{ echo >"${{4#*=}}"; {"true" if works else "false"}; }}\n'
    script = mongodump + only["args"][0].replace("/backups", str(tmp_path))

    ran = subprocess.run([*only["command"], script], check=False)

    assert ran.returncode == (0 if works else 1)
    archives = [each.suffix for each in tmp_path.iterdir() if each.name != "old.archive"]
    assert archives == [".archive" if works else ".new"]
    assert (tmp_path / "old.archive").exists() is not works
    compose = yaml.safe_load((ROOT / "compose.production.yaml").read_text())["services"]["backup"]
    assert only["image"] == compose["image"]
    user = pod["securityContext"]
    assert f"{user['runAsUser']}:{user['runAsGroup']}" == compose["user"]
    assert only["securityContext"] == container("billing")["securityContext"]
    assert secrets_of(pod) == ["ordersite", "ordersite-backup"]


@pytest.mark.parametrize("name", ["rabbitmq", "mongodb"])
def test_a_server_talks_tls_to_the_pipeline_s_pods_alone(name: str) -> None:
    (cluster,) = [
        each["spec"]
        for each in PRODUCTION
        if each["kind"] in OPERATED and each["metadata"]["name"] == name
    ]
    (policy,) = [
        each["spec"]
        for each in PRODUCTION
        if each["kind"] == "NetworkPolicy" and each["metadata"]["name"] == name
    ]
    (base,) = [
        each["spec"]
        for each in SMALL
        if each["kind"] == "NetworkPolicy" and each["metadata"]["name"] == "ordersite"
    ]
    pods = {"podSelector": {"matchLabels": base["podSelector"]["matchLabels"]}}
    open_ports = {port["port"] for rule in base["egress"] for port in rule["ports"]}

    assert cluster.get("tls") or cluster["security"]["tls"]["enabled"]
    (taken,) = [rule["ports"] for rule in policy["ingress"] if pods in rule["from"]]
    assert {port["port"] for port in taken} <= open_ports
    assert all(rule["from"] for rule in policy["ingress"])


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


def test_the_proxy_takes_requests_until_none_is_sent_to_it_any_more() -> None:
    """Kubernetes and a load balancer hear of a pod's end while it ends, and not before."""
    (proxy,) = [each for each in SMALL if each["kind"] == "Deployment" and each not in OURS]
    pod = proxy["spec"]["template"]["spec"]
    (only,) = pod["containers"]
    (shell, _, script) = only["lifecycle"]["preStop"]["exec"]["command"]
    pause, quits = script.split(" && ")

    assert shell == "sh"
    assert pause.split()[0] == "sleep"
    # nginx then answers what it has taken, as the signal of its image says as well.
    assert quits == "exec nginx -c /etc/ordersite/nginx.conf -s quit"
    assert pod["terminationGracePeriodSeconds"] > int(pause.split()[1]) + 10


def test_what_production_adds_is_of_processes_that_there_are() -> None:
    listed = yaml.safe_load((FOLDER / "overlays/production/kustomization.yaml").read_text())
    scaled = {
        each["metadata"]["name"]: each["spec"]
        for each in PRODUCTION
        if each["kind"] == "ScaledObject"
    }

    assert {each["name"] for each in listed["replicas"]} <= DEPLOYMENTS.keys() | {"proxy"}
    assert scaled.keys() == services().keys()
    # A number of its own would end the others at each `apply`.
    (patch,) = listed["patches"]
    assert patch["target"] == {"kind": "Deployment", "name": f"({'|'.join(sorted(scaled))})"}
    assert yaml.safe_load(patch["patch"]) == [{"op": "remove", "path": "/spec/replicas"}]
    for name, spec in scaled.items():
        assert spec["scaleTargetRef"] == {"name": name}
        assert spec["triggers"][0]["metadata"]["queueName"] == name
        # Messages that a worker holds are counted over HTTP alone.
        assert spec["triggers"][0]["metadata"]["protocol"] == "http"
    budgets = {
        each["metadata"]["name"]: each["spec"]["selector"]["matchLabels"]
        for each in PRODUCTION
        if each["kind"] == "PodDisruptionBudget"
    }
    several = {each["name"] for each in listed["replicas"]} | scaled.keys()
    assert budgets.keys() == several | {"rabbitmq", "mongodb"}
    for name in several:
        assert budgets[name] == {"app.kubernetes.io/component": name}


def test_the_page_makes_the_secret_of_each_pod() -> None:
    page = (ROOT / "docs/deploying.md").read_text()
    (loop,) = re.findall(r"^for process in ([a-z ]+); do$", page, re.MULTILINE)

    assert {*loop.split()} == PODS.keys() - {"administrator"}


def test_the_servers_are_those_of_compose() -> None:
    compose = yaml.safe_load((ROOT / "compose.production.yaml").read_text())["services"]
    (proxy,) = [each for each in SMALL if each["kind"] == "Deployment" and each not in OURS]
    (mongodb,) = [each["spec"] for each in PRODUCTION if each["kind"] == "MongoDBCommunity"]

    (nginx,) = proxy["spec"]["template"]["spec"]["containers"]
    assert nginx["image"] == compose["proxy"]["image"]
    assert f"mongo:{mongodb['version']}".startswith(compose["mongodb"]["image"])
    for parameter in (each for each in compose["mongodb"]["command"] if "setParameter" in each):
        name, _, value = parameter.removeprefix("--setParameter=").partition("=")
        assert mongodb["additionalMongodConfig"][f"setParameter.{name}"] == int(value)


def test_mongodb_has_no_known_hole() -> None:
    """8.0.17 is the first without CVE-2025-14847, 8.0.21 without CVE-2026-6914."""
    (mongodb,) = [each["spec"] for each in PRODUCTION if each["kind"] == "MongoDBCommunity"]

    assert tuple(map(int, mongodb["version"].split("."))) >= (8, 0, 21)


def test_a_cluster_is_set_up_as_its_limits_demand() -> None:
    (rabbitmq,) = [each["spec"] for each in PRODUCTION if each["kind"] == "RabbitmqCluster"]

    advanced = " ".join(rabbitmq["rabbitmq"]["advancedConfig"].split())
    assert advanced == "[{rabbit, [{dead_letter_worker_publisher_confirm_timeout, 10000}]}]."
    assert "dead_letter_worker_publisher_confirm_timeout" in (ROOT / "docs/limits.md").read_text()


def test_the_proxy_stays_where_no_web_is_ready() -> None:
    """It then answers 503 with Retry-After; without it a client has no answer at all."""
    (proxy,) = [each for each in SMALL if each["kind"] == "Deployment" and each not in OURS]
    (nginx,) = proxy["spec"]["template"]["spec"]["containers"]

    assert nginx["readinessProbe"].keys() == {"tcpSocket", "periodSeconds"}


def test_the_scheduler_reaches_a_mail_server() -> None:
    (policy,) = [each for each in SMALL if each["metadata"]["name"] == "ordersite-scheduler"]
    (rule,) = policy["spec"]["egress"]

    assert {25, 465, 587, settings.EMAIL_PORT} <= {each["port"] for each in rule["ports"]}


def test_every_overlay_takes_the_image_of_this_release() -> None:
    for listing in FOLDER.glob("overlays/*/kustomization.yaml"):
        (image,) = yaml.safe_load(listing.read_text())["images"]
        assert image == {"name": "ordersite", "newName": "ordersite", "newTag": settings.RELEASE}
