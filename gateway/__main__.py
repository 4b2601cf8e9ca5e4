"""`roamgate`, and `python -m gateway`."""

from gateway.cli.main import app


def main() -> None:
    """Runs the command line."""
    app(prog_name="roamgate")


if __name__ == "__main__":
    main()
