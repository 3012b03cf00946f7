"""Firewall rules: networks as scripts that the programs of the field load, one module a program."""
