"""Commands: one file each, with a Typer signature, one use case and one form of output.

Each defines ``register(app)``; importing one imports Typer and nothing else that is heavy. The modules
with a leading underscore are what commands share. This is the only level that reads the environment,
prints, or knows about terminals.
"""
