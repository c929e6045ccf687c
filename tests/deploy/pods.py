"""The pods of deploy/kubernetes as services of a compose file, so that podman runs them.

Command, settings, user, limits, read-only root, volumes and probes are those of the manifests. What
Kubernetes does beyond one pod, it does not do: there are no policies, budgets or rolling updates.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.deploy.containers import FOLDER, ROOT, Service
from tests.deploy.test_kubernetes import OURS, PODS, PUBLIC, SMALL, WEBHOOKS, secrets_of

USER = 10001
SECRETS = FOLDER / "kubernetes"
#: podman's words for Kubernetes' units.
UNITS = {"Mi": "m", "Gi": "g"}
PROXY = next(
    each["spec"]["template"]["spec"]
    for each in SMALL
    if each["kind"] == "Deployment" and each not in OURS
)
#: With those of the component for webhooks.
ALL = PODS | {
    each["metadata"]["name"]: each["spec"]["template"]["spec"]
    for each in WEBHOOKS
    if each["kind"] == "Deployment"
}
#: Whose secret `access apply` fills.
LOGINS = {
    name.removeprefix("ordersite-") for pod in ALL.values() for name in secrets_of(pod)[1:]
} - {"administrator"}
PROBES = ("startupProbe", "livenessProbe", "readinessProbe")


def services(tls: Path) -> dict[str, Service]:
    """Each pod by its name, the proxy among them; the folder `tls` has the site's certificate."""
    proxy = service_of("proxy", PROXY)
    proxy["volumes"] = [*proxy_volumes(tls), "/tmp"]
    return {**{name: service_of(name, pod) for name, pod in ALL.items()}, "proxy": proxy}


def service_of(name: str, pod: dict[str, Any]) -> Service:
    (container,) = pod["containers"]
    environment = {each["name"]: each["value"] for each in container.get("env", ())}
    public = {**PUBLIC, "WEBHOOKS": "true"} if "envFrom" in container else {}
    (tmp,) = [each["emptyDir"] for each in pod["volumes"] if each["name"] == "tmp"]
    in_memory = tmp.get("medium") == "Memory"
    limits = container["resources"]["limits"]
    return {
        "image": container["image"],
        "entrypoint": container["command"],
        "command": container.get("args", []),
        "environment": {**public, **environment},
        "user": f"{pod['securityContext']['runAsUser']}:{pod['securityContext']['runAsGroup']}",
        "read_only": container["securityContext"]["readOnlyRootFilesystem"],
        "cap_drop": container["securityContext"]["capabilities"]["drop"],
        "security_opt": ["no-new-privileges:true"],
        "sysctls": {
            each["name"]: each["value"] for each in pod["securityContext"].get("sysctls", ())
        },
        "mem_limit": f"{limits['memory'][:-2]}{UNITS[limits['memory'][-2:]]}",
        "cpus": limits["cpu"],
        "restart": "unless-stopped" if "livenessProbe" in container else "no",
        "tmpfs": ["/tmp"] if in_memory else [],
        "volumes": [
            *([] if in_memory else ["/tmp"]),
            f"{SECRETS / name}:/run/secrets/ordersite:ro",
        ],
        "probes": [container[each] for each in PROBES if each in container],
        "ports": {each["name"]: each["containerPort"] for each in container.get("ports", ())},
    }


def proxy_volumes(tls: Path) -> Iterator[str]:
    """The files of its ConfigMap, and the certificate."""
    listing = yaml.safe_load((ROOT / "deploy/proxy/kustomization.yaml").read_text())
    for each in listing["configMapGenerator"][0]["files"]:
        name, _, file = each.rpartition("=")
        yield f"{ROOT / 'deploy/proxy' / file}:/etc/ordersite/{name or file}:ro"
    for name in ("tls.crt", "tls.key"):
        yield f"{tls / name}:/etc/ssl/ordersite/{name}:ro"


def write_secrets(secret: str, content: dict[str, str]) -> None:
    """Put a secret's keys, as files, into each pod that has it; they are their group's to read."""
    for name, pod in ALL.items():
        if secret in secrets_of(pod):
            folder = SECRETS / name
            folder.mkdir(parents=True, exist_ok=True)
            for key, value in content.items():
                (folder / key).write_text(value)
                (folder / key).chmod(0o440)
                shutil.chown(folder / key, 0, USER)


def probe_command(probe: dict[str, Any], ports: dict[str, int]) -> tuple[str, list[str]]:
    """Who runs it, `""` for the pod itself, and what; the proxy has curl."""
    if "exec" in probe:
        return "", probe["exec"]["command"]
    curl = ["curl", "--insecure", "--silent", "--show-error", "--output", "/dev/null"]
    # At an address, as the kubelet asks.
    if "tcpSocket" in probe:
        return "proxy", [*curl, f"https://127.0.0.1:{ports[probe['tcpSocket']['port']]}"]
    asked = probe["httpGet"]
    address = f"127.0.0.1:{ports[asked['port']]}{asked['path']}"
    return "proxy", [*curl, "--fail", f"{asked.get('scheme', 'http').lower()}://{address}"]


def logins_of(text: str) -> dict[str, str]:
    """A file of `access apply`."""
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
