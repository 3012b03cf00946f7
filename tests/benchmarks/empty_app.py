"""The baseline of every command: a Typer app with two commands that do nothing."""

import typer

app = typer.Typer()


@app.command()
def one() -> None:
    """Nothing."""


@app.command()
def two() -> None:
    """Nothing."""


app()
