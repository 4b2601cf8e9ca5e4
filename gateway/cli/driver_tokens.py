"""`driver-tokens`: the tokens of our own drivers."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.asking import (
    URL,
    After,
    Json,
    Key,
    Limit,
    Party,
    PartyOption,
    Url,
    ask,
    say_more,
    when,
    write_fields,
    write_json,
    write_table,
)
from gateway.cli.exits import Exit, end
from gateway.cli.sending import send_file
from gateway.cli.words import driver_of
from gateway.services.ports import Page
from gateway.services.ports.driver_tokens import DriverToken, StoredDriverToken, Switched
from mappings.canonical.tokens import Token, TokenType

app = typer.Typer(no_args_is_help=True, help="The tokens of our own drivers, and who is blocked.")

Type = Annotated[TokenType, typer.Argument(metavar="TYPE", help="RFID, APP_USER, …")]
Uid = Annotated[str, typer.Argument(metavar="UID", help="The token's uid, in any case.")]
Driver = Annotated[str | None, typer.Option("--driver", help="Your own id of the driver.")]
Contract = Annotated[str | None, typer.Option("--contract", help="The contract id.")]


@app.command("list")
def list_(
    url: Url = URL,
    key: Key = "",
    party: PartyOption = None,
    driver: Driver = None,
    contract: Contract = None,
    uid: Annotated[str | None, typer.Option("--uid", help="Only those with this uid, in any case.")] = None,
    after: After = None,
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """List driver tokens, withdrawn ones too. --json has the uids."""
    page = ask(url, key, lambda client: client.driver_tokens.list(party, driver, contract, uid, after, limit))
    if as_json:
        write_json(page, Page[StoredDriverToken])
        return
    write_table(
        ("party", "token", "contract", "driver", "state", "whitelist", "revision", "written"),
        [
            (
                one.token.party,
                _card(one.token),
                one.token.contract_id,
                one.token.driver,
                "withdrawn" if one.withdrawn else "valid" if one.token.valid else "blocked",
                one.token.whitelist,
                one.revision,
                when(one.updated),
            )
            for one in page.items
        ],
    )
    say_more(page.next)


@app.command()
def show(party: Party, type_: Type, uid: Uid, url: Url = URL, key: Key = "", as_json: Json = False) -> None:
    """Show one token."""
    token = ask(url, key, lambda client: client.driver_tokens.get(party, type_.value, uid))
    if as_json:
        write_json(token, DriverToken)
        return
    write_fields(
        {
            "party": token.party,
            "token": _card(token),
            "printed": token.visual_number,
            "contract": token.contract_id,
            "driver": token.driver,
            "group": token.group_id,
            "issuer": token.issuer,
            "state": "valid" if token.valid else "blocked",
            "whitelist": token.whitelist,
            "last updated": when(token.last_updated),
        }
    )


@app.command()
def withdraw(party: Party, type_: Type, uid: Uid, url: Url = URL, key: Key = "") -> None:
    """Take one token out of use, at every hub at once."""
    ask(url, key, lambda client: client.driver_tokens.withdraw(party, type_.value, uid))


@app.command()
def block(
    party: Party,
    url: Url = URL,
    key: Key = "",
    driver: Driver = None,
    contract: Contract = None,
    as_json: Json = False,
) -> None:
    """Block every token of a driver, or of a contract, at every hub at once."""
    _switch(party, url, key, driver, contract, valid=False, as_json=as_json)


@app.command()
def unblock(
    party: Party,
    url: Url = URL,
    key: Key = "",
    driver: Driver = None,
    contract: Contract = None,
    as_json: Json = False,
) -> None:
    """Make every token of a driver, or of a contract, valid again."""
    _switch(party, url, key, driver, contract, valid=True, as_json=as_json)


@app.command()
def send(
    file: Annotated[Path, typer.Argument(help="Driver tokens, one a line, plain or gz; - for standard input.")],
    url: Url = URL,
    key: Key = "",
    as_json: Json = False,
) -> None:
    """Write driver tokens from a file. What is there already is unchanged, so the same file can be sent again."""
    send_file(
        file,
        url,
        key,
        lambda client, content, gzip: client.driver_tokens.send(content, gzip=gzip),
        as_json=as_json,
    )


def _switch(
    party: str, url: str, key: str, driver: str | None, contract: str | None, *, valid: bool, as_json: bool
) -> None:
    if (driver is None) == (contract is None):
        end(Exit.USAGE, "name either --driver or --contract")
    switched = ask(url, key, lambda client: client.driver_tokens.switch(party, driver, contract, valid=valid))
    if as_json:
        write_json(switched, Switched)
    else:
        write_fields({"tokens": switched.tokens, "changed": switched.changed})


def _card(token: Token) -> str:
    """Names a token by the end of its number."""
    return driver_of(token.identification.model_copy(update={"contract_id": None}))
