"""Examples of each command, for its help and the manual: what one wants, and the line that does it.

Imported where help is shown. A test parses each line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import typer


class Example(NamedTuple):
    """What a line does, and the line."""

    aim: str
    line: str


EXAMPLES: dict[str, tuple[Example, ...]] = {
    "lookup": (
        Example("Who holds an address", "geocli 8.8.8.8"),
        Example("The country alone, for a script", "geocli 8.8.8.8 -f country_code"),
        Example("All addresses in a log, each once, as JSON", "geocli -u -i /var/log/auth.log -j"),
        Example("A line of your own", "geocli 1.1.1.1 -t 'deny {network};  # {org}'"),
    ),
    "bans": (
        Example("Who is banned, by country", "sudo geocli bans --by country"),
        Example("Whom a log tells of, by network operator", "geocli bans /var/log/fail2ban.log --by asn"),
        Example("Remember who is banned, for cron", "geocli bans --client --record"),
        Example("Scanners that say openly who they are", "sudo geocli bans -f ip,tags | grep scanner:"),
        Example("Banned more than once", "geocli bans --history --by ip --at-least 2 --top 20"),
        Example("This week against the one before", "geocli bans --history --compare 7d --by country,jail"),
    ),
    "show": (
        Example("All about an address", "geocli show 45.148.10.5"),
        Example("An AS and a country, longer lists", "geocli show AS14061 nl --top 30"),
        Example("A mail to who answers for it", "geocli show 45.148.10.5 --whois -i /var/log/auth.log"),
    ),
    "advise": (
        Example("Which networks to ban", "sudo geocli advise"),
        Example("As rules for nftables", "geocli advise --history --format nft -q > ban.nft"),
        Example("Whether that would have helped in the last month", "geocli advise --history --backtest 30d"),
    ),
    "networks": (
        Example("The networks of an AS", "geocli networks --asn 14061"),
        Example(
            "Those of two countries, IPv4, for nftables", "geocli networks --country kp,ir -4 --format nft"
        ),
        Example("Those of a holder, by a part of its name", "geocli networks --org digitalocean"),
    ),
    "summarize": (
        Example("Who is in a log, by network operator", "geocli summarize access.log --by asn --top 20"),
        Example("Each address once, most of them first", "geocli summarize access.log --sort -addresses"),
        Example("All that geocli remembers, by country", "geocli summarize"),
    ),
    "report": (
        Example("A page with a map", "sudo geocli report -o bans.html"),
        Example("Of all bans of the last month", "geocli report --history --since 30d -o bans.html"),
        Example("Of any log, without addresses", "geocli report --log access.log --anonymize -o page.html"),
    ),
    "annotate": (
        Example("A log as it grows, with answers in it", "tail -F /var/log/auth.log | geocli annotate"),
        Example("With the country only", "geocli annotate auth.log -t ' ({country_code})'"),
    ),
    "refresh": (
        Example("Ask again about what is old", "geocli refresh"),
        Example("What nobody had, at another source", "geocli refresh --unknown -p country-is --limit 1000"),
    ),
    "flush": (
        Example("For cron, each minute", "geocli flush"),
        Example("How much that was", "geocli flush -j"),
    ),
    "forget": (
        Example("Keep bans for a year", "geocli forget --bans --older-than 1y"),
        Example("Delete everything", "geocli forget --older-than 0"),
    ),
    "stats": (
        Example("What is stored, and how old the data is", "geocli stats"),
        Example("For monitoring", "geocli stats --check --max-dirty-age 10m"),
    ),
    "setup": (
        Example("For you", "geocli setup"),
        Example("For the machine, with fail2ban's bans", "sudo geocli setup --system --record --yes"),
        Example("What would change", "geocli setup --dry-run"),
    ),
    "store copy": (
        Example(
            "To a server",
            "geocli store copy geo.db postgresql://geocli@db.example.net/geocli",
        ),
    ),
    "store check": (Example("Whether all files are whole", "geocli store check"),),
    "cron install": (
        Example("Flush each minute, fetch databases each week", "geocli cron install"),
        Example("Remember fail2ban's bans too, as root", "sudo geocli cron install --system --record"),
    ),
    "cron show": (Example("Which jobs there are", "geocli cron show"),),
    "cron remove": (Example("Take all jobs out again", "geocli cron remove"),),
    "config show": (
        Example("What is set, and where", "geocli config show"),
        Example("One value, for a script", "geocli config show -f setting,value | grep lookup.ttl"),
    ),
    "config path": (Example("Edit the configuration", '"$EDITOR" "$(geocli config path)"'),),
    "db list": (Example("What answers, and how old it is", "geocli db list"),),
    "db update": (
        Example("Newer editions of what is here", "geocli db update"),
        Example("Cities and coordinates", "geocli db update dbip-city"),
    ),
    "db verify": (Example("Whether files are whole", "geocli db verify GeoLite2-City.mmdb"),),
    "db build": (
        Example("One's own database", "geocli db build --country countries.csv --asn asn.csv -o own.mmdb"),
        Example(
            "With networks that are known better",
            "geocli db build --country world.csv --overlay office.csv -o own.mmdb",
        ),
    ),
}
"""By command; of a group, by both its words."""


def add_to_help(app: typer.Typer, path: str = "") -> None:
    """Have each command of the app show its examples at the end of its help."""
    for command in app.registered_commands:
        name = f"{path}{command.name}"
        if name in EXAMPLES:
            command.epilog = text_of(EXAMPLES[name])
    for group in app.registered_groups:
        if group.typer_instance is not None:
            add_to_help(group.typer_instance, f"{path}{group.name or group.typer_instance.info.name} ")


def text_of(examples: tuple[Example, ...]) -> str:
    """The examples as lines, behind the mark that has them left as they are."""
    return "\n".join(["\b", "Examples:", *(f"  {aim}:\n    {line}" for aim, line in examples)])
