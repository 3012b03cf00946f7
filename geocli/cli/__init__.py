"""The command line: Typer commands, options, console. Only here is anything printed."""
