"""Mutual TLS with Gireve, where it asks for it: what becomes of a connection whose files are not as they should be."""

from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat
from cryptography.hazmat.primitives.serialization import load_pem_private_key as load
from pydantic import ValidationError

from adapters.core.adapter import Call
from adapters.core.connection import Secrets
from adapters.core.hub import RegistrationFailed
from adapters.core.outcomes import Misconfigured
from adapters.gireve.adapter import GireveAdapter
from adapters.gireve.registration import register, unregister
from adapters.gireve.settings import LOCATIONS, Settings
from adapters.hubject.sandbox import write_certificates
from tests.adapters.gireve.network import TOKEN_A, pair


async def test_a_missing_certificate_is_misconfigured_and_named_when_something_is_sent(tmp_path: Path) -> None:
    async with pair() as both:
        await both.register()
        ready = both.registry.connection
        bare = replace(ready, settings={**ready.settings, "client_certificate": str(tmp_path / "none.pem")})
        adapter = GireveAdapter(bare, both.measured)
        outcome = await adapter.send(Call(LOCATIONS, "PUT", "FR/ABC/LOC1", {}, ()))
        await adapter.close()
    assert isinstance(outcome, Misconfigured)
    assert "none.pem" in outcome.reason


async def test_a_registration_without_its_certificate_fails_and_names_it(tmp_path: Path) -> None:
    async with pair(client_certificate=str(tmp_path / "none.pem")) as both:
        with pytest.raises(RegistrationFailed, match=r"none\.pem"):
            await register(both.registry.connection, both.gateway, TOKEN_A)
        assert not both.sandbox.requests


async def test_a_key_that_is_enciphered_is_refused_and_nobody_is_asked_for_a_password(tmp_path: Path) -> None:
    [own] = write_certificates(tmp_path, ["FR*ABC"]).clients.values()
    key = load(own.key.read_bytes(), None)
    own.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"word")))
    async with pair(client_certificate=str(own.certificate), client_key=str(own.key)) as both:
        with pytest.raises(RegistrationFailed, match=own.key.name):
            await register(both.registry.connection, both.gateway, TOKEN_A)


def test_a_key_without_a_certificate_is_no_setting() -> None:
    with pytest.raises(ValidationError, match="client_key without client_certificate"):
        Settings.model_validate({"client_key": "k.pem"})


async def test_unregistering_what_was_adopted_without_an_endpoint_for_credentials_says_so() -> None:
    async with pair() as both:
        adopted = replace(both.registry.connection, secrets=Secrets("ours", {"locations/RECEIVER": "https://iop.test"}))
        with pytest.raises(RegistrationFailed, match="no endpoint for credentials"):
            await unregister(adopted, both.gateway)
