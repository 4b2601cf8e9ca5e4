"""What the restricted pod security standard of Kubernetes asks for, and what goes beyond it."""

import re

import pytest

from tests.helm.chart import EVERYTHING, SECRET, Manifest, manifests, of_kind

PODS = [
    pytest.param(doc["spec"]["template"], id=doc["metadata"]["name"])
    for doc in [*of_kind(EVERYTHING, "Deployment"), *of_kind(EVERYTHING, "Job")]
]
HARDENED = pytest.mark.parametrize("pod", PODS)


def container(pod: Manifest) -> Manifest:
    (only,) = pod["spec"]["containers"]
    found: Manifest = only
    return found


@HARDENED
def test_a_pod_runs_as_a_numbered_user_that_is_not_root_and_cannot_become_it(pod: Manifest) -> None:
    security = pod["spec"]["securityContext"]
    assert security["runAsNonRoot"] is True
    assert security["runAsUser"] > 10_000
    assert security["runAsGroup"] > 10_000
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container(pod)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


@HARDENED
def test_a_pod_has_no_token_of_the_cluster_and_shares_nothing_with_its_node(pod: Manifest) -> None:
    assert pod["spec"]["automountServiceAccountToken"] is False
    assert pod["spec"]["enableServiceLinks"] is False
    assert not {"hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace"} & pod["spec"].keys()
    kinds = {kind for volume in pod["spec"]["volumes"] for kind in volume if kind != "name"}
    assert kinds <= {"configMap", "secret", "emptyDir"}
    assert not [port for port in container(pod).get("ports", []) if "hostPort" in port]


@HARDENED
def test_what_a_pod_can_write_to_is_bounded(pod: Manifest) -> None:
    writable = [mount["name"] for mount in container(pod)["volumeMounts"] if not mount.get("readOnly")]
    volumes = {volume["name"]: volume for volume in pod["spec"]["volumes"]}
    assert writable == ["tmp"]
    assert re.fullmatch(r"\d+Mi", volumes["tmp"]["emptyDir"]["sizeLimit"])


@HARDENED
def test_a_pod_says_what_it_needs_and_what_memory_it_may_have(pod: Manifest) -> None:
    resources = container(pod)["resources"]
    assert resources["requests"].keys() == {"cpu", "memory"}
    # No limit on the processor: it would throttle an answer that a driver waits for.
    assert resources["limits"].keys() == {"memory"}


@HARDENED
def test_every_port_names_its_protocol(pod: Manifest) -> None:
    assert all(port["protocol"] == "TCP" for port in container(pod).get("ports", []))


def test_the_identity_of_the_gateway_is_its_own_and_has_no_rights() -> None:
    (account,) = of_kind(SECRET, "ServiceAccount")
    (deployment,) = of_kind(SECRET, "Deployment")
    assert account["automountServiceAccountToken"] is False
    assert deployment["spec"]["template"]["spec"]["serviceAccountName"] == account["metadata"]["name"]
    kinds = {doc["kind"] for doc in manifests(EVERYTHING)}
    assert not kinds & {"Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"}


def test_the_network_policy_covers_every_pod_of_the_release() -> None:
    (policy,) = of_kind(EVERYTHING, "NetworkPolicy")
    selector = policy["spec"]["podSelector"]["matchLabels"].items()
    for doc in [*of_kind(EVERYTHING, "Deployment"), *of_kind(EVERYTHING, "Job")]:
        assert selector <= doc["spec"]["template"]["metadata"]["labels"].items()
    assert policy["spec"]["ingress"] == [
        {"ports": [{"port": "http", "protocol": "TCP"}], "from": EVERYTHING["networkPolicy"]["from"]}
    ]
