"""Renders the chart without a cluster and without a helm binary."""

from pathlib import Path
from typing import Any

import helm_python as helm
import yaml

CHART = Path(__file__).resolve().parents[2] / "helm" / "roamgate"
Values = dict[str, Any]
Manifest = dict[str, Any]

SECRET: Values = {"existingSecret": {"name": "roamgate"}}
EVERYTHING: Values = {
    "existingSecret": {"name": "secrets", "databaseUrlKey": "url", "secretKeyKey": "key"},
    "replicaCount": 3,
    "image": {"repository": "registry.example/roamgate", "digest": "sha256:" + "0" * 64, "pullPolicy": "Always"},
    "imagePullSecrets": [{"name": "pull"}],
    "certificates": {"existingSecret": "hubject"},
    "settings": {
        "public_url": "https://roam.example",
        "log_level": "DEBUG",
        "pool_size": 20,
        "pgbouncer": True,
        "tls_certificate": "/etc/roamgate/certificates/tls.crt",
        "tls_key": "/etc/roamgate/certificates/tls.key",
        "tls_client_ca": "/etc/roamgate/certificates/hubject-authorities.pem",
        "client_certificate_header": "ssl-client-cert",
        "trusted_proxies": ["10.1.0.0/16"],
    },
    "env": {"SSL_CERT_FILE": "/etc/roamgate/certificates/authorities.pem", "NUMBER": "1"},
    "service": {"type": "LoadBalancer", "port": 8443, "annotations": {"a.example/b": "true"}},
    "ingress": {
        "enabled": True,
        "className": "nginx",
        "annotations": {"a.example/b": "1"},
        "host": "roam.example",
        "paths": ["/ocpi", "/v1"],
        "tlsSecret": "tls",
    },
    "serviceMonitor": {"enabled": True, "interval": "15s", "scrapeTimeout": "5s", "labels": {"release": "prometheus"}},
    "prometheusRule": {"enabled": True, "pendingSeconds": 600, "labels": {"release": "prometheus"}},
    "networkPolicy": {"enabled": True, "from": [{"namespaceSelector": {"matchLabels": {"name": "ingress"}}}]},
    "podDisruptionBudget": {"maxUnavailable": "50%"},
    "podAnnotations": {"a.example/c": "d"},
    "podLabels": {"team": "roaming"},
    "nodeSelector": {"kubernetes.io/arch": "amd64"},
    "tolerations": [{"key": "a", "operator": "Exists", "effect": "NoSchedule"}],
    "affinity": {"podAntiAffinity": {}},
    "topologySpreadConstraints": [
        {"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "ScheduleAnyway"}
    ],
}
SMALLEST: Values = SECRET | {"replicaCount": 1, "migrations": {"enabled": False}}


def lint(values: Values) -> list[Any]:
    """Gives what strict linting finds wrong."""
    found: list[Any] = helm.lint(str(CHART), values, strict=True)["errors"]
    return found


def install(values: Values) -> Any:
    """Installs as a dry run, which also checks the schema, `required` and the cluster's version."""
    return helm.Config(storage_driver="memory").install(str(CHART), "rg", values, dry_run="client")


def templates(values: Values) -> dict[str, str]:
    """Renders each template, those of hooks too, which a dry run leaves out; by file name."""
    with helm.Chart.load(str(CHART)) as chart:
        rendered: dict[str, str] = chart.render(values, name="rg", namespace="roaming")
    return {Path(name).name: text for name, text in rendered.items()}


def manifests(values: Values) -> list[Manifest]:
    """Renders and parses every object of the release."""
    texts = [text for name, text in templates(values).items() if name.endswith(".yaml")]
    return [doc for text in texts for doc in yaml.safe_load_all(text) if doc]


def of_kind(values: Values, kind: str) -> list[Manifest]:
    """Gives the objects of one kind."""
    return [doc for doc in manifests(values) if doc["kind"] == kind]
