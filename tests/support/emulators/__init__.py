"""The three online sources as local servers, which keep the rules that the real ones have.

They are the description of those services that runs: each module begins with the rules of its
service, and ``tests/test_emulators.py`` holds them to these rules. A test uses them on the wire::

    with IpApi(limit=15, window=60.0) as server:  # listens on 127.0.0.1, on a port of its own
        run(environment={"GEOCLI_IP_API_URL": server.url})
        assert server.count(429) == 0
        assert max(server.addresses.values()) == 1

What all three have:

``url``
    where to send batches, such as ``http://127.0.0.1:40123/batch``
``requests``
    every :class:`Request` in order of arrival: ``time`` (monotonic seconds), ``client``, ``method``,
    ``path``, ``query``, ``headers`` (names in lower case), ``targets``, ``status``, ``fault``
``addresses``
    how often each address was asked about in requests that were accepted (200)
``count(status)``, ``bans``, ``connections``, ``summary()``
    how many answers had a status, clients are banned, connections were opened; all of it as a dict
``answers[address] = {...}``
    what is said about an address, in the words of the service; the address itself and what says
    that it was found are added where missing. Whoever has no entry gets an answer that is derived
    from the address (:mod:`tests.support.emulators.whereabouts`)
``unknown.add(address)``
    an address about which the service knows nothing
``fail_next(fault, times=1, delay=1.0)``, ``recover()``
    a :class:`Fault` for the next requests (``times=None``: until ``recover()``); see there

What all three take: ``limit`` requests in a ``window`` of seconds (None: as many as one likes),
``latency`` (seconds before each answer) and ``port`` (0: any that is free).

``python -m tests.support.emulators ip-api --limit 15 --window 10`` runs one in the foreground.
"""

from tests.support.emulators.base import Emulator
from tests.support.emulators.country_is import CountryIs
from tests.support.emulators.faults import Fault
from tests.support.emulators.ip_api import IpApi
from tests.support.emulators.ipinfo import Ipinfo
from tests.support.emulators.publishers import Dbip, Files, IpinfoData, IpLocationDb, MaxMind
from tests.support.emulators.rdap import Rdap
from tests.support.emulators.wire import Answer, Request

__all__ = [
    "Answer",
    "CountryIs",
    "Dbip",
    "Emulator",
    "Fault",
    "Files",
    "IpApi",
    "IpLocationDb",
    "Ipinfo",
    "IpinfoData",
    "MaxMind",
    "Rdap",
    "Request",
]
