"""What fail2ban tells: its client, its log, its database."""
