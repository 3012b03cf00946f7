"""What the mutations start from: the fixtures, and an example of everything else."""

from __future__ import annotations

import json
from pathlib import Path

from geocli.model.record_batch import RecordBatch
from geocli.model.records import GeoRecord
from geocli.storage.journal.segments import encode, encode_bans
from tests.support.bans import BAN

_FIXTURES = Path(__file__).parents[1] / "fixtures" / "fail2ban"
_LARGEST = 4096  # bytes of a fixture: what is longer only repeats itself

_TEXT = [
    b"Nov 23 21:42:11 web sshd[811]: Failed password for root from 9.9.9.9 port 4242 ssh2\n",
    b"[2001:db8::1]:443 ::ffff:1.2.3.4 fe80::1%eth0 (1.2.3.4) ip=1.2.3.4, 192.0.2.0/24 1.2.3.4.5",
    b"\x1b[1m192.0.2.1\x1b[0m \\n192.0.2.1\\n %2F192.0.2.1%2F \\u003c::1\\u003e Name/1.2.3.4 rv:1.2.3.4",
    b"192.0.2.0-192.0.2.9 ::1-::2 1[.]2[.]3[.]4 1(dot)2(dot)3(dot)4 2001[:]db8[::]1 192.0.2.1/255.0.0.0",
    b"%ASA- 192.0.2.1/22 Name/5.0 (X; 1.2.3.4;) [client 2001:db8::1:80] ::1:9 [1",
    b"IP 192.0.2.1.22 > 192.0.2.2.ssh: x\ntcp4 0 0 192.0.2.1.22 *.*\n]: 192.0.2.1.1 ::1.2:",
    b"aa:bb:cc:dd:ee:ff 21:21:42 http://192.0.2.1/24 source:2001:db8::1 2001:db8::/129 ::/0 v1.2.3.4-rc1",
]
_IP_API = [
    {
        "query": "8.8.8.8", "status": "success", "countryCode": "US", "country": "United States",
        "regionName": "Virginia", "city": "Ashburn", "lat": 39.03, "lon": -77.5, "as": "AS15169 Google LLC",
        "org": "Google Public DNS", "isp": "Google LLC", "asname": "GOOGLE",
    },
    {"query": "9.9.9.9", "status": "fail", "message": "reserved range"},
]  # fmt: skip
_COUNTRY_IS = [{"ip": "8.8.8.8", "country": "US", "asn": {"number": 15169, "organization": "Google LLC"}}]
_IPINFO = {
    "8.8.8.8": {
        "ip": "8.8.8.8", "asn": "AS15169", "as_name": "Google LLC", "country_code": "US", "country": "US",
    },
    "9.9.9.9": {"ip": "9.9.9.9", "bogon": True},
}  # fmt: skip
_LAYOUTS = [
    {
        "country": {"iso_code": "US", "names": {"en": "United States"}},
        "subdivisions": [{"names": {"en": "Virginia"}}],
        "city": {"names": {"en": "Ashburn"}},
        "location": {"latitude": 39.03, "longitude": -77.5},
        "traits": {"autonomous_system_number": 15169, "autonomous_system_organization": "Google LLC"},
    },
    {"country": "United States", "country_code": "US", "asn": "AS15169", "as_name": "Google LLC"},
    {"country": "US", "region": "Virginia", "city": "Ashburn", "lat": "39.03", "lng": "-77.5"},
    {"country_code": "US", "state1": "Virginia", "latitude": 39.03, "longitude": -77.5, "isp": "x"},
]
_RECORDS = [
    GeoRecord("8.8.8.8", "ok", "US", "United States", asn=15169, org="Google LLC", network="8.8.8.0/24",
              source="mmdb:a-1", resolved_at="2026-11-01T00:00:00Z"),
    GeoRecord("9.9.9.9", "unknown", source="mmdb:a-1,ip-api", resolved_at="2026-11-01T00:00:00Z"),
]  # fmt: skip


def seeds(target: str) -> list[bytes]:
    """Some inputs that the target reads to the end."""
    if target == "addresses":
        return _TEXT
    if target == "bans":
        folders = (_FIXTURES, _FIXTURES.with_name("ban_sources"))
        files = sorted(path for folder in folders for path in folder.rglob("*") if path.is_file())
        return [*_TEXT, *filter(None, (path.read_bytes()[:_LARGEST] for path in files))]
    if target == "segment":
        segments = (
            encode(RecordBatch.of(_RECORDS)),
            encode(RecordBatch.of(_RECORDS[:1])),
            encode_bans([BAN, BAN._replace(ip="alice")]),
        )
        return [segment.value.encode() for segment in segments]
    values: dict[str, list[object]] = {
        "ip_api": [_IP_API],
        "country_is": [_COUNTRY_IS],
        "ipinfo": [_IPINFO],
        "layout": [*_LAYOUTS],
    }
    return [json.dumps(value).encode() for value in values[target]]
