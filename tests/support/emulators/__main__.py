"""One emulator in the foreground: ``python -m tests.support.emulators ip-api --limit 15 --window 10``.

The first line of stdout is its URL. SIGINT or SIGTERM ends it, and the last line is what it has
seen, as JSON.
"""

from __future__ import annotations

import argparse
import json
import signal
from collections.abc import Callable

from tests.support.emulators import CountryIs, Emulator, Fault, IpApi, Ipinfo

SERVICES: dict[str, Callable[..., Emulator]] = {"ip-api": IpApi, "country-is": CountryIs, "ipinfo": Ipinfo}


def number_or_none(text: str) -> int | None:
    return None if text == "none" else int(text)


def parse_arguments() -> argparse.Namespace:
    """What is not given stays with the default of the service."""
    common = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    common.add_argument("--port", type=int, help="default: any that is free")
    common.add_argument("--limit", type=number_or_none, metavar="N", help='requests in a window, or "none"')
    common.add_argument("--window", type=float, metavar="SECONDS")
    common.add_argument("--latency", type=float, metavar="SECONDS", help="before each answer")
    common.add_argument("--fault", choices=[fault.name.lower() for fault in Fault], default=None)
    common.add_argument(
        "--times", type=int, default=None, help="how often the fault strikes; default: always"
    )

    parser = argparse.ArgumentParser(prog="python -m tests.support.emulators", description=__doc__)
    services = parser.add_subparsers(dest="service", required=True)

    def add(name: str) -> argparse.ArgumentParser:
        return services.add_parser(name, parents=[common], argument_default=argparse.SUPPRESS)

    ip_api = add("ip-api")
    ip_api.add_argument("--key", help="be the paid service, with this key")
    ip_api.add_argument(
        "--ban-after", type=int, metavar="N", help="requests over the limit that are forgiven"
    )
    ip_api.add_argument("--round-ttl-down", dest="round_ttl_up", action="store_false")
    ip_api.add_argument("--empty-at-boundary", action="store_true")
    add("country-is").add_argument("--retry-after", type=int, metavar="SECONDS", help="a header of every 429")
    add("ipinfo").add_argument("--token", help="the only one that is known; default: any")
    return parser.parse_args()


def main() -> None:
    options = vars(parse_arguments())
    service, fault, times = options.pop("service"), options.pop("fault"), options.pop("times")
    # Blocked before the server's thread is there, which inherits it: they wait for sigwait().
    ends = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    with SERVICES[service](**options) as server:
        if fault is not None:
            server.fail_next(Fault[fault.upper()], times=times)
        print(server.url, flush=True)
        signal.sigwait(ends)
    print(json.dumps(server.summary()), flush=True)


if __name__ == "__main__":
    main()
