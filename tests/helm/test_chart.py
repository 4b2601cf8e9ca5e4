import json
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from gateway.settings import load
from tests.helm.chart import CHART, EVERYTHING, SECRET, SMALLEST, Manifest, Values, install, lint, manifests, of_kind
from tests.helm.chart import templates as rendered

VALUES = pytest.mark.parametrize(
    "values",
    [pytest.param(SECRET, id="default"), pytest.param(SMALLEST, id="smallest"), pytest.param(EVERYTHING, id="all")],
)


@VALUES
def test_the_chart_passes_strict_linting(values: Values) -> None:
    assert lint(values) == []


@VALUES
def test_the_chart_installs_in_a_dry_run(values: Values) -> None:
    assert install(values)["status"] == "pending-install"


@VALUES
def test_every_object_is_valid_kubernetes(values: Values) -> None:
    for doc in manifests(values):
        if doc["apiVersion"].startswith("monitoring.coreos.com/"):
            continue  # a custom resource: no schema is published with Kubernetes
        kubernetes_validate.validate(doc, "1.33", strict=True)


@VALUES
def test_every_object_stands_in_the_namespace_of_the_release_and_is_labelled(values: Values) -> None:
    for doc in manifests(values):
        assert doc["metadata"]["namespace"] == "roaming"
        assert doc["metadata"]["labels"]["app.kubernetes.io/instance"] == "rg"


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({}, "/existingSecret/name"),
        ({"existingSecret": {"name": "Not A Name"}}, "/existingSecret/name"),
        (SECRET | {"replicaCount": "two"}, "/replicaCount"),
        (SECRET | {"replicaCount": 0}, "/replicaCount"),
        (SECRET | {"replicas": 2}, "replicas"),
        (SECRET | {"service": {"port": 70000}}, "/service/port"),
        (SECRET | {"service": {"prot": 80}}, "prot"),
        (SECRET | {"image": {"digest": "sha256:short"}}, "/image/digest"),
        (SECRET | {"image": {"pullPolicy": "Sometimes"}}, "/image/pullPolicy"),
        (SECRET | {"ingress": {"enabled": True}}, "/ingress/host"),
        (SECRET | {"serviceMonitor": {"enabled": "yes"}}, "/serviceMonitor/enabled"),
        (SECRET | {"serviceMonitor": {"interval": "often"}}, "/serviceMonitor/interval"),
        (SECRET | {"prometheusRule": {"pendingSeconds": 1}}, "/prometheusRule/pendingSeconds"),
        (SECRET | {"env": {"DATABASE_URL": "postgresql://somewhere"}}, "DATABASE_URL"),
        (SECRET | {"env": {"WORKERS": 3}}, "/env/WORKERS"),
        (SECRET | {"settings": "a: text"}, "/settings"),
        (SECRET | {"settings": {"database_url": "postgresql://somewhere"}}, "database_url"),
        (SECRET | {"settings": {"port": 9000}}, "port"),
        (SECRET | {"podDisruptionBudget": {"maxUnavailable": 0}}, "/podDisruptionBudget/maxUnavailable"),
    ],
)
def test_wrong_values_are_refused_and_the_field_is_named(values: Values, named: str) -> None:
    with pytest.raises(Exception, match="values don't meet the specifications") as refused:
        install(values)
    assert named in str(refused.value)


def test_the_schema_knows_every_value_and_every_value_has_a_schema() -> None:
    def same(schema: Manifest, values: Manifest, path: str) -> None:
        assert schema["additionalProperties"] is False, path
        assert schema["properties"].keys() - {"global"} == values.keys(), path
        for name, value in values.items():
            if name != "resources" and "properties" in schema["properties"][name]:
                same(schema["properties"][name], value, f"{path}/{name}")

    schema = json.loads((CHART / "values.schema.json").read_text())
    same(schema, yaml.safe_load((CHART / "values.yaml").read_text()), "")


def test_secrets_come_by_reference_only() -> None:
    assert of_kind(EVERYTHING, "Secret") == []
    for doc in of_kind(EVERYTHING, "Deployment") + of_kind(EVERYTHING, "Job"):
        (container,) = doc["spec"]["template"]["spec"]["containers"]
        env = {entry["name"]: entry for entry in container["env"]}
        assert env["DATABASE_URL"]["valueFrom"] == {"secretKeyRef": {"name": "secrets", "key": "url"}}
        assert env["ROAMGATE_SECRET_KEY"]["valueFrom"] == {"secretKeyRef": {"name": "secrets", "key": "key"}}


def test_the_first_key_of_the_api_may_be_absent_from_the_secret() -> None:
    (deployment,) = of_kind(SECRET, "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    (entry,) = [entry for entry in container["env"] if entry["name"] == "ROAMGATE_ADMIN_KEY"]
    reference = {"name": "roamgate", "key": "ROAMGATE_ADMIN_KEY", "optional": True}
    assert entry["valueFrom"] == {"secretKeyRef": reference}


def test_the_gateway_reads_the_settings_that_the_chart_was_given(tmp_path: Path) -> None:
    (config,) = of_kind(EVERYTHING, "ConfigMap")
    (deployment,) = of_kind(EVERYTHING, "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    environment = {entry["name"]: entry.get("value", "out of the secret") for entry in container["env"]}
    mounted = {mount["name"]: mount for mount in container["volumeMounts"]}["settings"]
    assert environment["ROAMGATE_SETTINGS"] == mounted["mountPath"]

    file = tmp_path / Path(mounted["mountPath"]).name
    file.write_text(config["data"][mounted["subPath"]])
    settings = load(environment | {"ROAMGATE_SETTINGS": str(file)})
    assert settings.model_dump(mode="json", include=set(EVERYTHING["settings"])) == EVERYTHING["settings"]
    assert settings.port == container["ports"][0]["containerPort"]
    assert settings.database_url == settings.secret_key == settings.admin_key == "out of the secret"


def test_a_change_of_the_settings_replaces_the_pods() -> None:
    def annotations(settings: Values) -> Manifest:
        (deployment,) = of_kind(SECRET | {"settings": settings}, "Deployment")
        found: Manifest = deployment["spec"]["template"]["metadata"]["annotations"]
        return found

    assert annotations({"pool_size": 5}) != annotations({"pool_size": 6})


def test_the_probes_ask_for_health_and_readiness_on_the_port_that_the_service_names() -> None:
    (deployment,) = of_kind(SECRET, "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    asked = {name: container[name]["httpGet"]["path"] for name in container if name.endswith("Probe")}
    assert asked == {"startupProbe": "/healthz", "livenessProbe": "/healthz", "readinessProbe": "/readyz"}
    (service,) = of_kind(SECRET, "Service")
    (port,) = container["ports"]
    assert service["spec"]["ports"][0]["targetPort"] == port["name"] == "http"


@pytest.mark.parametrize(("values", "scheme"), [(SECRET, "http"), (EVERYTHING, "https")])
def test_whoever_asks_a_pod_knows_whether_it_speaks_tls(values: Values, scheme: str) -> None:
    (deployment,) = of_kind(values, "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    probes = [container[name]["httpGet"]["scheme"] for name in container if name.endswith("Probe")]
    assert probes == [scheme.upper()] * 3
    (service,) = of_kind(values, "Service")
    assert service["spec"]["ports"][0]["appProtocol"] == scheme
    for monitor in of_kind(values, "ServiceMonitor"):
        assert monitor["spec"]["endpoints"][0].get("scheme", "http") == scheme
    assert f"{scheme}://127.0.0.1:8080/metrics" in rendered(values)["NOTES.txt"]


def test_the_ingress_leads_to_what_hubs_call() -> None:
    values = SECRET | {"ingress": {"enabled": True, "host": "roam.example"}}
    (ingress,) = of_kind(values, "Ingress")
    assert [path["path"] for path in ingress["spec"]["rules"][0]["http"]["paths"]] == ["/ocpi", "/oicp"]


def test_a_pod_has_longer_to_end_than_it_is_told_to_wait() -> None:
    (deployment,) = of_kind(SECRET, "Deployment")
    pod = deployment["spec"]["template"]["spec"]
    wait = pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert pod["terminationGracePeriodSeconds"] > wait + 30


def test_what_selects_pods_selects_those_of_the_deployment_and_not_those_of_the_migrations() -> None:
    (deployment,) = of_kind(EVERYTHING, "Deployment")
    gateway = deployment["spec"]["template"]["metadata"]["labels"].items()
    selectors = [deployment["spec"]["selector"]["matchLabels"]]
    selectors += [doc["spec"]["selector"] for doc in of_kind(EVERYTHING, "Service")]
    selectors += [doc["spec"]["selector"]["matchLabels"] for doc in of_kind(EVERYTHING, "PodDisruptionBudget")]
    assert len(selectors) == 3
    for selector in selectors:
        assert selector.items() <= gateway
        for job in of_kind(EVERYTHING, "Job"):
            assert not selector.items() <= job["spec"]["template"]["metadata"]["labels"].items()


def test_the_monitor_finds_the_service() -> None:
    (monitor,) = of_kind(EVERYTHING, "ServiceMonitor")
    (service,) = of_kind(EVERYTHING, "Service")
    assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    (endpoint,) = monitor["spec"]["endpoints"]
    assert endpoint["port"] == service["spec"]["ports"][0]["name"]
    assert endpoint["path"] == "/metrics"


def test_migrations_run_in_two_phases_around_the_roll_out_and_need_nothing_of_the_release() -> None:
    jobs = {tuple(job["spec"]["template"]["spec"]["containers"][0]["args"]): job for job in of_kind(SECRET, "Job")}
    hooks = {args[-1]: job["metadata"]["annotations"]["helm.sh/hook"] for args, job in jobs.items()}
    assert {args[:2] for args in jobs} == {("migrate", "--phase")}
    assert hooks == {"before": "pre-install,pre-upgrade", "after": "post-install,post-upgrade"}
    for job in jobs.values():
        # The first phase runs before Helm has made the service account and the settings.
        pod = job["spec"]["template"]["spec"]
        assert "serviceAccountName" not in pod
        assert not [volume for volume in pod["volumes"] if "configMap" in volume]
    assert of_kind(SMALLEST, "Job") == []


@pytest.mark.parametrize(("replicas", "budgets"), [(1, 0), (2, 1), (5, 1)])
def test_a_disruption_budget_is_made_for_two_replicas_or_more(replicas: int, budgets: int) -> None:
    assert len(of_kind(SECRET | {"replicaCount": replicas}, "PodDisruptionBudget")) == budgets


@pytest.mark.parametrize("kind", ["Ingress", "NetworkPolicy", "PrometheusRule", "ServiceMonitor"])
def test_what_depends_on_the_cluster_is_made_only_when_asked_for(kind: str) -> None:
    assert of_kind(SECRET, kind) == []
    assert len(of_kind(EVERYTHING, kind)) == 1


def test_the_image_is_named_by_digest_where_one_is_given_and_else_by_the_version_of_the_chart() -> None:
    def image(values: Values) -> str:
        (deployment,) = of_kind(values, "Deployment")
        name: str = deployment["spec"]["template"]["spec"]["containers"][0]["image"]
        return name

    assert image(EVERYTHING) == "registry.example/roamgate@sha256:" + "0" * 64
    assert image(SECRET | {"image": {"tag": "1.2.3"}}) == "roamgate:1.2.3"
    assert image(SECRET).startswith("roamgate:")


def test_the_notes_say_how_to_upgrade() -> None:
    assert "--wait" in rendered(SECRET)["NOTES.txt"]
    assert "migrate --phase before" in rendered(SMALLEST)["NOTES.txt"]
