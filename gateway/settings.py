"""Configuration: one file (TOML or JSON), and the environment for secrets and overrides.

The file is named by `ROAMGATE_SETTINGS`. Each field can also be set by a variable `ROAMGATE_<FIELD>`, which
wins; secrets come from the environment only.
"""

import json
import os
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator, model_validator


class SettingsError(ValueError):
    """The configuration cannot be used; the text names the fields."""


class Settings(BaseModel):
    """The gateway's configuration.

    Attributes:
        database_url: `postgresql://…`, from `DATABASE_URL`; None where an embedded server is to be started.
        secret_key: Fernet keys that seal partners' secrets, from `ROAMGATE_SECRET_KEY`; several separated by commas,
            the first seals.
        admin_key: An API key for everything, from `ROAMGATE_ADMIN_KEY`, with which a gateway is used before
            the first real key is made.
        public_url: Where hubs reach this gateway from outside.
        pool_size: Connections to the database per process.
        pgbouncer: A PgBouncer in transaction mode stands before the database.
        ask_next_after: Seconds that one hub is waited for, while a driver stands at the charger, before the next one
            that may answer for them is asked too. A no asks the next at once.
        keep_deliveries_days: After which a settled message or event is forgotten; a CDR's stays, and a dead letter.
        cdr_missed_hours: How long a session may be over before its CDR is missed.
        received_cdr_missed_hours: The same of a driver of ours at a partner's station; None for `cdr_missed_hours`.
        cdr_unconfirmed_hours: How long a hub may take to confirm a CDR before somebody should see to it.
        repricing_tolerance: By how much a CDR may cost otherwise than its tariff says, in units of its currency.
        repricing_processes: For pricing many CDRs at once, each with about 100 MB; they last as long as there are many.
            0 prices all of them in the gateway's own.
        tls_certificate, tls_key: PEM files of what the listener shows; None serves plain HTTP. The key may stand in the
            certificate's file. They are read again when they change.
        tls_client_ca: PEM file of the authorities that sign hubs' client certificates. Whoever shows none is let in
            and is refused by the routes that demand one.
        client_certificate_header: The header in which an ingress hands on the client certificate that it verified.
        trusted_proxies: The networks that the ingress calls from; from anywhere else that header is worth nothing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = "0.0.0.0"  # noqa: S104 - in a container every interface is the container's own
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    public_url: str = "http://127.0.0.1:8080"
    log_level: Annotated[str, Field(pattern="^(DEBUG|INFO|WARNING|ERROR)$")] = "INFO"
    database_url: Annotated[str | None, Field(repr=False)] = None
    secret_key: Annotated[str, Field(repr=False)] = ""
    admin_key: Annotated[str | None, Field(repr=False, min_length=16)] = None
    pool_size: Annotated[int, Field(ge=2, le=200)] = 10
    pgbouncer: bool = False
    ask_next_after: Annotated[float, Field(ge=0, le=10)] = 2.0
    keep_deliveries_days: Annotated[int, Field(ge=1, le=36_500)] = 90
    cdr_missed_hours: Annotated[int, Field(ge=1, le=10_000)] = 24
    received_cdr_missed_hours: Annotated[int | None, Field(ge=1, le=10_000)] = None
    cdr_unconfirmed_hours: Annotated[int, Field(ge=1, le=10_000)] = 4
    repricing_tolerance: Annotated[Decimal, Field(ge=0, le=1000)] = Decimal("0.01")
    repricing_processes: Annotated[int, Field(ge=0, le=64)] = 2
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    tls_client_ca: Path | None = None
    client_certificate_header: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,64}$")] | None = None
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = ()

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _separated(cls, value: Any) -> Any:
        """Takes the networks from a variable, separated by commas."""
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.tls_certificate is None and (self.tls_key or self.tls_client_ca):
            raise ValueError("tls_key and tls_client_ca are of no use without tls_certificate")
        if (self.client_certificate_header is None) != (not self.trusted_proxies):
            raise ValueError("client_certificate_header and trusted_proxies are of no use without each other")
        return self


_SECRET = {"database_url", "secret_key", "admin_key"}


def load(environment: Mapping[str, str] = os.environ) -> Settings:
    """Reads the configuration.

    Raises:
        SettingsError: The file cannot be read, a field is unknown or wrong, or a secret stands in the file.
    """
    values = _read_file(environment.get("ROAMGATE_SETTINGS"))
    if misplaced := _SECRET & values.keys():
        raise SettingsError(f"{', '.join(sorted(misplaced))}: set it in the environment, not in the settings file")
    for name in Settings.model_fields:
        variable = "DATABASE_URL" if name == "database_url" else f"ROAMGATE_{name.upper()}"
        if variable in environment:
            values[name] = environment[variable]
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors(include_input=False)
        )
        raise SettingsError(wrong) from None


def _read_file(name: str | None) -> dict[str, Any]:
    if name is None:
        return {}
    try:
        text = Path(name).read_text()
        read: dict[str, Any] = json.loads(text) if name.endswith(".json") else tomllib.loads(text)
    except OSError as error:
        raise SettingsError(f"{name}: cannot be read: {error.strerror or error}") from None
    except ValueError as error:
        raise SettingsError(f"{name}: {error}") from None
    return read
