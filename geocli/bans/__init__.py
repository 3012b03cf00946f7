"""Bans with geography: who is banned now, the history, and what is recorded of them."""
