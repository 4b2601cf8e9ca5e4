"""What a driver needs, as options of commands that price a charge which has not happened yet."""

from decimal import Decimal
from typing import Annotated

import typer

from gateway.cli.asking import decimal

Kwh = Annotated[Decimal | None, typer.Option("--kwh", parser=decimal, help="Energy wanted.")]
Minutes = Annotated[
    Decimal | None, typer.Option("--minutes", parser=decimal, help="How long the vehicle is plugged in.")
]
Capacity = Annotated[Decimal | None, typer.Option("--battery", parser=decimal, help="Its capacity, kWh.")]
Soc = Annotated[Decimal | None, typer.Option("--soc", parser=decimal, help="Per cent of it at the start.")]
ToSoc = Annotated[Decimal | None, typer.Option("--to-soc", parser=decimal, help="Per cent of it wanted.")]
Power = Annotated[Decimal | None, typer.Option("--power", parser=decimal, help="kW, all the time.")]
Current = Annotated[
    Decimal | None, typer.Option("--current", parser=decimal, help="A, all phases together, all the time.")
]
Parked = Annotated[Decimal | None, typer.Option("--parked", parser=decimal, help="Minutes that it stays after that.")]
Reserved = Annotated[
    Decimal | None, typer.Option("--reserved", parser=decimal, help="Minutes reserved before it begins.")
]
