"""`documents`: the terms of offers."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.asking import URL, Json, Key, Url, ask, when, write_fields, write_json
from gateway.cli.exits import Exit, end
from gateway.cli.given_files import bytes_of
from gateway.services.ports.offers import DocumentView

app = typer.Typer(no_args_is_help=True, help="The terms of offers, as PDF.")

DocumentId = Annotated[str, typer.Argument(metavar="ID", help="The document's id, which offers name.")]


@app.command()
def put(
    document: DocumentId,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A PDF of 10 MiB at most.")],
    url: Url = URL,
    key: Key = "",
    party: Annotated[
        str | None, typer.Option(help="FR*ABC; whose terms they are, where the key speaks for several.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Upload terms; a document never changes under its id."""
    content = bytes_of(file)
    view = ask(url, key, lambda client: client.documents.put(document, party, file.name, content))
    if as_json:
        write_json(view, DocumentView)
        return
    write_fields(
        {
            "id": view.id,
            "party": view.party,
            "name": view.name,
            "bytes": view.size,
            "SHA-256": view.digest,
            "uploaded": when(view.uploaded_at),
        }
    )


@app.command()
def get(
    document: DocumentId,
    url: Url = URL,
    key: Key = "",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Instead of standard output.")] = None,
) -> None:
    """Write a document to a file, or to standard output."""
    content = ask(url, key, lambda client: client.documents.get(document))
    if output is None:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    try:
        output.write_bytes(content)
    except OSError as error:
        end(Exit.USAGE, f"{output}: {error.strerror or error}")
