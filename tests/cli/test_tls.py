"""A gateway at which TLS ends, in a process of its own: as it is served, and as Hubject calls it."""

import json
import ssl

import aiohttp
import trustme
from cryptography import x509

from gateway.store.secrets import Cipher
from tests.cli.test_serving import lines_until

ADMIN = "an-administrator-from-the-environment"
START = {
    "SessionID": "f98efba4-02d8-4fa0-b810-9a9d50d2c527",
    "ProviderID": "DE*EMP",
    "EvseID": "FR*ABC*E1",
    "Identification": {"RemoteIdentification": {"EvcoID": "DE-EMP-C12345678-X"}},
}


async def test_a_gateway_ends_tls_and_lets_hubject_in_by_its_certificate(bare, database_url):
    authority = trustme.CA()
    files = {name: bare.folder / name for name in ("ca.pem", "tls.pem")}
    authority.cert_pem.write_to_path(str(files["ca.pem"]))
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(files["tls.pem"]))
    hub = authority.issue_cert(common_name="hub.example")
    subject = x509.load_pem_x509_certificate(hub.cert_chain_pems[0].bytes()).subject.rfc4514_string()
    child = await bare.start(
        "run",
        DATABASE_URL=database_url,
        ROAMGATE_SECRET_KEY=Cipher.new_key(),
        ROAMGATE_ADMIN_KEY=ADMIN,
        ROAMGATE_PORT="0",
        ROAMGATE_HOST="127.0.0.1",
        ROAMGATE_TLS_CERTIFICATE=str(files["tls.pem"]),
        ROAMGATE_TLS_CLIENT_CA=str(files["ca.pem"]),
    )
    url = f"https://127.0.0.1:{(await lines_until(child, 'started'))['port']}"
    connection = {
        "name": "hubject",
        "hub": "hubject",
        "settings": {
            "operator_id": "FR*ABC",
            "operator_name": "ABC",
            "client_certificate": "ours.pem",
            "hub_certificates": [{"subject": subject}],
        },
    }
    file = bare.folder / "connection.json"
    file.write_text(json.dumps(connection))
    # The command line trusts what OpenSSL is told to trust.
    asking = {"ROAMGATE_URL": url, "ROAMGATE_KEY": ADMIN, "SSL_CERT_FILE": str(files["ca.pem"])}
    made = await bare("connections", "create", str(file), "--json", **asking)
    assert made.code == 0, made.err

    codes = []
    for shown in (hub, None):
        context = ssl.create_default_context()
        authority.configure_trust(context)
        if shown is not None:
            shown.configure_cert(context)
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as session:
            path = "/oicp/hubject/charging/v21/providers/DE*EMP/authorize-remote/start"
            async with session.post(url + path, json=START) as answer:
                assert answer.status == 200
                codes.append((await answer.json())["StatusCode"]["Code"])
            async with session.get(f"{url}/readyz") as answer:
                assert answer.status == 200
    # The connection is not live yet, which only Hubject is told.
    assert codes == ["320", "017"]


async def test_files_that_make_no_sense_are_told_as_settings_that_are_wrong(bare, database_url):
    given = {"DATABASE_URL": database_url, "ROAMGATE_SECRET_KEY": Cipher.new_key(), "ROAMGATE_PORT": "0"}
    refused = await bare("run", **given, ROAMGATE_TLS_CERTIFICATE="not-there.pem")
    assert (refused.code, "Traceback" in refused.err) == (6, False)
    assert "tls_certificate" in refused.err
    assert "not-there.pem" in refused.err
