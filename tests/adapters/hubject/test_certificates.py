"""Mutual TLS: whose certificate speaks for which operator."""

import os
import shutil
import ssl

import pytest
import trustme
from pydantic import ValidationError

from adapters.core.outcomes import Delivered, Misconfigured, NotSent, OutcomeUnknown
from adapters.core.tls import TlsFiles, client_context, server_context
from adapters.hubject.sandbox import HubjectSandbox, Partner, run, write_certificates
from mappings.canonical.ids import PartyId
from tests.adapters.hubject.network import HUB_CPO, adapter, evse, items, location, settings


def secured_adapter(running, operator=HUB_CPO, **changes):
    shown = running.certificates.clients[operator.normal]
    shown_and_trusted = {
        "ca_file": running.certificates.authority,
        "client_certificate": shown.certificate,
        "client_key": shown.key,
    }
    return adapter(base_url=running.url, **(shown_and_trusted | changes))


async def outcome_of_a_push(hub):
    (call,) = hub.plan("evse_data", items(hub, "evse_data", location(evse("a", "FR*HUB*E1")))).calls
    try:
        return await hub.send(call)
    finally:
        await hub.close()


async def test_the_operators_own_certificate_is_let_in(secured):
    assert secured.url.startswith("https://")
    assert await outcome_of_a_push(secured_adapter(secured)) == Delivered()


@pytest.mark.parametrize("recorded_forms", [False, True])
async def test_another_operators_certificate_is_misconfigured_and_pushes_nothing(secured, recorded_forms):
    secured.sandbox.recorded_forms = recorded_forms
    outcome = await outcome_of_a_push(secured_adapter(secured, PartyId("FR*OTH")))
    assert isinstance(outcome, Misconfigured)
    assert "017" in outcome.reason
    assert secured.sandbox.memory["evse_data"] == {}


@pytest.mark.parametrize("recorded_forms", [False, True])
async def test_an_operator_that_hubject_does_not_know_is_misconfigured(secured, recorded_forms):
    secured.sandbox.recorded_forms = recorded_forms
    outcome = await outcome_of_a_push(secured_adapter(secured, operator_id="FR*NEW"))
    assert isinstance(outcome, Misconfigured)
    assert "300" in outcome.reason


async def test_an_operator_without_a_contract_is_misconfigured(tmp_path):
    async with run(HubjectSandbox([Partner(HUB_CPO, contract=False)]), tmp_path) as running:
        outcome = await outcome_of_a_push(secured_adapter(running))
    assert isinstance(outcome, Misconfigured)
    assert "210" in outcome.reason


async def test_no_certificate_is_misconfigured(secured):
    hub = adapter(base_url=secured.url, ca_file=secured.certificates.authority)
    assert isinstance(await outcome_of_a_push(hub), Misconfigured)


async def test_a_certificate_of_another_authority_pushes_nothing(secured, tmp_path):
    foreign = write_certificates(tmp_path / "foreign", ["FR*HUB"]).clients["FR*HUB"]
    hub = adapter(
        base_url=secured.url,
        ca_file=secured.certificates.authority,
        client_certificate=foreign.certificate,
        client_key=foreign.key,
    )
    # In TLS 1.3 the server's alert comes after the handshake, and a reset may overtake it.
    assert isinstance(await outcome_of_a_push(hub), Misconfigured | OutcomeUnknown)
    assert secured.sandbox.memory["evse_data"] == {}


async def test_a_server_that_we_do_not_trust_is_sent_nothing(secured, tmp_path):
    trustme.CA().cert_pem.write_to_path(tmp_path / "other.pem")
    hub = secured_adapter(secured, ca_file=tmp_path / "other.pem")
    assert isinstance(await outcome_of_a_push(hub), NotSent)
    assert secured.sandbox.memory["evse_data"] == {}


async def test_a_missing_certificate_file_is_misconfigured_and_named(secured, tmp_path):
    hub = adapter(base_url=secured.url, client_certificate=tmp_path / "none.pem")
    outcome = await outcome_of_a_push(hub)
    assert isinstance(outcome, Misconfigured)
    assert "none.pem" in outcome.reason


async def test_a_renewed_certificate_is_used_without_a_restart(secured, tmp_path):
    mine = tmp_path / "mine.pem"
    clients = secured.certificates.clients

    def install(operator):
        pair = clients[operator]
        mine.write_bytes(pair.certificate.read_bytes() + pair.key.read_bytes())

    install("FR*OTH")
    os.utime(mine, (1, 1))
    hub = adapter(base_url=secured.url, ca_file=secured.certificates.authority, client_certificate=mine)
    (call,) = hub.plan("evse_data", items(hub, "evse_data", location(evse("a", "FR*HUB*E1")))).calls
    assert isinstance(await hub.send(call), Misconfigured)
    # In the middle of its replacement the file is no certificate; the connection lives on with the one it has.
    mine.write_bytes(b"-----BEGIN CERT")
    os.utime(mine, (2, 2))
    outcome = await hub.send(call)
    assert isinstance(outcome, Misconfigured)
    assert "017" in outcome.reason
    install("FR*HUB")
    os.utime(mine, (3, 3))
    assert await hub.send(call) == Delivered()
    await hub.close()


def test_a_client_certificate_may_be_bound_to_several_operators(tmp_path):
    written = write_certificates(tmp_path, [["FR*HUB", "FR*TWO"], "+49*810"])
    assert set(written.clients) == {"FR*HUB", "+49*810"}
    for pair in written.clients.values():
        assert pair.key.stat().st_mode & 0o077 == 0
    server_context(written.authority, written.server.certificate, written.server.key)


def test_a_key_that_does_not_belong_to_its_certificate_is_told_by_file(tmp_path):
    written = write_certificates(tmp_path, ["FR*HUB", "FR*TWO"])
    one, two = written.clients.values()
    with pytest.raises(TlsFiles, match="are no certificate with its key"):
        client_context(written.authority, one.certificate, two.key)
    shutil.copy(one.key, tmp_path / "empty.pem")
    with pytest.raises(TlsFiles, match="holds no certificates"):
        client_context(tmp_path / "empty.pem", None, None)


def test_tls_is_at_least_1_2_and_names_are_checked():
    context = client_context(None, None, None)
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert context.check_hostname


@pytest.mark.parametrize(
    "wrong",
    [
        {"base_url": "http://service.hubject.com", "sandbox": False, "client_certificate": "c.pem"},
        {"base_url": "https://service.hubject.com", "sandbox": False},
        {"base_url": "ftp://127.0.0.1"},
        {"base_url": "https://me:secret@service.hubject.com"},
        {"client_key": "k.pem"},
        {"operator_id": "HUB"},
        {"operator_name": ""},
        {"operator_name": "x" * 101},
        {"surprise": 1},
    ],
)
def test_settings_that_cannot_work_are_refused(wrong):
    with pytest.raises(ValidationError):
        settings(**wrong)


@pytest.mark.parametrize("url", ["https://service.hubject.com", "https://service-qa.hubject.com/"])
def test_hubjects_own_addresses_are_settings(url):
    assert settings(base_url=url, sandbox=False, client_certificate="c.pem").base_url == url
