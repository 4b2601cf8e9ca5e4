"""Where settings come from, which of them wins, and what is said of wrong ones."""

from pathlib import Path

import pytest

from gateway.settings import SettingsError, load

KEY = "an-administrator-from-the-environment"


@pytest.mark.parametrize(
    ("name", "text"),
    [("s.toml", 'port = 9000\npublic_url = "https://g.example"'), ("s.json", '{"port": 9000}')],
)
def test_a_file_is_toml_unless_its_name_says_json_and_a_variable_wins_over_it(
    tmp_path: Path, name: str, text: str
) -> None:
    file = tmp_path / name
    file.write_text(text)
    assert load({"ROAMGATE_SETTINGS": str(file)}).port == 9000
    assert load({"ROAMGATE_SETTINGS": str(file), "ROAMGATE_PORT": "9001"}).port == 9001


def test_without_anything_set_the_defaults_hold_and_no_secret_is_made_up() -> None:
    settings = load({})
    assert (settings.port, settings.database_url, settings.secret_key, settings.admin_key) == (8080, None, "", None)


@pytest.mark.parametrize("name", ["database_url", "secret_key", "admin_key"])
def test_a_secret_in_the_file_is_refused_by_its_name_and_not_shown(tmp_path: Path, name: str) -> None:
    file = tmp_path / "s.toml"
    file.write_text(f'{name} = "t0ps3cret-t0ps3cret"')
    with pytest.raises(SettingsError, match=name) as refused:
        load({"ROAMGATE_SETTINGS": str(file)})
    assert "t0ps3cret" not in str(refused.value)


@pytest.mark.parametrize(
    ("environment", "field"),
    [
        ({"ROAMGATE_PORT": "70000"}, "port"),
        ({"ROAMGATE_LOG_LEVEL": "loud"}, "log_level"),
        ({"ROAMGATE_POOL_SIZE": "1"}, "pool_size"),
        ({"ROAMGATE_PGBOUNCER": "perhaps"}, "pgbouncer"),
        ({"ROAMGATE_ADMIN_KEY": "t0ps3cret"}, "admin_key"),
        ({"ROAMGATE_TLS_KEY": "/k.pem"}, "tls_certificate"),
        ({"ROAMGATE_TLS_CLIENT_CA": "/ca.pem"}, "tls_certificate"),
        ({"ROAMGATE_CLIENT_CERTIFICATE_HEADER": "ssl-client-cert"}, "trusted_proxies"),
        ({"ROAMGATE_TRUSTED_PROXIES": "10.1.0.0/16"}, "client_certificate_header"),
        (
            {"ROAMGATE_TRUSTED_PROXIES": "10.1.0.1/16", "ROAMGATE_CLIENT_CERTIFICATE_HEADER": "x-cert"},
            "trusted_proxies",
        ),
        ({"ROAMGATE_CLIENT_CERTIFICATE_HEADER": "x cert"}, "client_certificate_header"),
    ],
)
def test_a_wrong_value_is_refused_by_its_field_and_not_shown(environment: dict[str, str], field: str) -> None:
    with pytest.raises(SettingsError, match=field) as refused:
        load(environment)
    assert not any(value in str(refused.value) for value in environment.values())


@pytest.mark.parametrize(
    ("text", "said"), [("surprise = 1", "surprise"), ("port =", "settings.toml"), (None, "settings.toml")]
)
def test_a_file_that_makes_no_sense_is_named(tmp_path: Path, text: str | None, said: str) -> None:
    file = tmp_path / "settings.toml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(SettingsError, match=said):
        load({"ROAMGATE_SETTINGS": str(file)})


def test_a_file_that_is_not_there_is_named_once_and_without_a_number(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    with pytest.raises(SettingsError) as refused:
        load({"ROAMGATE_SETTINGS": str(file)})
    assert str(refused.value) == f"{file}: cannot be read: No such file or directory"


def test_settings_do_not_show_their_secrets() -> None:
    secrets = {
        "DATABASE_URL": "postgresql://roamgate:t0ps3cret@db/roamgate",
        "ROAMGATE_SECRET_KEY": "t0ps3cret",
        "ROAMGATE_ADMIN_KEY": f"t0ps3cret-{KEY}",
    }
    assert "t0ps3cret" not in repr(load(secrets))


def test_by_default_no_certificate_is_asked_for_and_no_proxy_trusted() -> None:
    settings = load({})
    assert (settings.tls_certificate, settings.tls_client_ca) == (None, None)
    assert (settings.client_certificate_header, settings.trusted_proxies) == (None, ())


def test_the_networks_of_proxies_are_separated_by_commas_in_a_variable_and_listed_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "s.toml"
    file.write_text('client_certificate_header = "x-cert"\ntrusted_proxies = ["10.1.0.0/16", "fd00::/8", "192.0.2.7"]')
    in_file = load({"ROAMGATE_SETTINGS": str(file)})
    networks = "10.1.0.0/16, fd00::/8,192.0.2.7"
    variables = {"ROAMGATE_CLIENT_CERTIFICATE_HEADER": "x-cert", "ROAMGATE_TRUSTED_PROXIES": networks}
    assert in_file == load(variables)
    assert [str(network) for network in in_file.trusted_proxies] == ["10.1.0.0/16", "fd00::/8", "192.0.2.7/32"]
