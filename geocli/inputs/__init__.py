"""Inputs: a stream of bytes to addresses or to bans."""
