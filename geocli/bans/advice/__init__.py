"""Advice which networks to ban: pure, in integers, from what bans say to the best choice of networks."""
