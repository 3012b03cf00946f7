"""What tests of inputs share: a real fail2ban."""

from __future__ import annotations

from tests.support.fail2ban_server import fail2ban_server, running_fail2ban

__all__ = ["fail2ban_server", "running_fail2ban"]
