"""Commands that are imported when they are called: whoever asks for one does not wait for what all others need."""

from importlib import import_module
from typing import Any, Final

import typer
from typer.core import TyperGroup

COMMANDS: Final = {
    "run": "serving:run",
    "migrate": "migrating:migrate",
    "secret-key": "migrating:secret_key",
    "sandbox": "sandbox:sandbox",
    "import": "importing:import_file",
    "demo": "demo.command:demo",
    "bench": "bench.command:bench",
    "quote": "quoting:quote",
    "price": "pricing.price:price",
    "tariff": "pricing.explain:app",
    "keys": "keys:app",
    "connections": "connections:app",
    "offers": "offers:app",
    "subscriptions": "subscriptions:app",
    "groups": "groups:app",
    "documents": "documents:app",
    "deliveries": "deliveries:app",
    "authorisations": "authorisations:app",
    "commands": "commands:app",
    "sessions": "sessions:app",
    "cdrs": "cdrs:app",
    "pulls": "pulls:app",
    "driver-tokens": "driver_tokens:app",
    "permits": "permits:app",
    "sent-commands": "sent_commands:app",
    "received-sessions": "received:sessions",
    "received-cdrs": "received:cdrs",
    "repricings": "repricings:app",
    "settle": "settling:settle",
    "billing-parties": "billing:app",
    "events": "events:app",
    "webhooks": "webhooks:app",
    "call-outs": "call_outs:app",
}
"""The commands in the order of the help: each in a module of this package, as a function or as a group of its own."""


class Lazily(TyperGroup):
    """The group of all commands: those of the table, and what else was added to it."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        named: dict[str, Any] = dict.fromkeys(COMMANDS)  # the help lists them, and one is suggested that was misspelt
        self.commands = {**named, **self.commands}

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Imports a command; None for what is none."""
        if cmd_name not in COMMANDS:
            return super().get_command(ctx, cmd_name)
        module, name = COMMANDS[cmd_name].split(":")
        found = getattr(import_module(f"gateway.cli.{module}"), name)
        around = typer.Typer()
        if isinstance(found, typer.Typer):
            around.add_typer(found, name=cmd_name)
        else:
            around.command(cmd_name)(found)
        return typer.main.get_group(around).commands[cmd_name]
