"""Bans as metrics: sums are exact, sets of labels are few, any name is a label."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from geocli.bans.figures import OTHER, UNKNOWN, Begun, HeldCounter
from geocli.model.bans import Ban, LocatedBan
from geocli.model.records import GeoRecord, clean_text
from geocli.output.status.ban_metrics import exposition
from geocli.output.status.prometheus import exposition as exposition_of_stats
from tests.output.status.test_prometheus import Family, parse, stats

NOW = 1_795_470_131.0  # 2026-11-23T21:42:11Z
NAMES = st.text(st.one_of(st.sampled_from('\\"\n{},= #'), st.characters(blacklist_categories=["Cs"])))


@st.composite
def located_bans(draw: st.DrawFn) -> LocatedBan:
    jail = draw(st.none() | NAMES.map(clean_text) | st.sampled_from([OTHER, UNKNOWN, "sshd"]))
    ip = f"8.8.8.{draw(st.integers(0, 5))}"
    asn = draw(st.none() | st.integers(1, 3))
    org = draw(st.none() | NAMES.map(clean_text))
    record = GeoRecord(ip, "ok", country_code=draw(st.sampled_from([None, "DE", "US"])), asn=asn, org=org)
    ends = draw(st.sampled_from([None, "2026-11-23T21:42:11Z", "2026-11-23T21:42:12Z"]))
    return LocatedBan(Ban(jail, ip, None, ends), record)


def families_of(bans: list[LocatedBan], most: int, directory: Path) -> dict[str, Family]:
    counter = HeldCounter(directory, NOW)
    counter.add(bans)
    return parse(exposition(counter.result(most), None, 'h"\\', NOW))


@given(st.lists(located_bans(), max_size=30), st.integers(1, 6))
def test_sums_are_exact_and_series_are_few(tmp_path: Path, bans: list[LocatedBan], most: int) -> None:
    holding = [ban for ban in bans if ban.ban.expires_at != "2026-11-23T21:42:11Z"]  # it is over by then
    families = families_of(bans, most, tmp_path)
    samples = families["geocli_bans"].samples if holding else {}
    assert sum(samples.values()) == len(holding)
    assert len(samples) <= most + 1
    here = (("host", 'h"\\'),)
    assert families["geocli_active_bans"].samples == {here: len(holding)}
    assert families["geocli_banned_addresses"].samples == {here: len({ban.record.ip for ban in holding})}
    expected = Counter(
        (ban.record.country_code or UNKNOWN, str(ban.record.asn or UNKNOWN), ban.ban.jail or UNKNOWN)
        for ban in holding
    )
    for labels, count in samples.items():
        country, asn, jail, _ = (value for _, value in labels)
        assert count == expected[country, asn, jail] or (country, asn, jail) == (OTHER,) * 3
    told = {asn for (_, _), (_, asn), _, _ in samples}
    assert {
        dict(labels)["asn"] for labels in families.get("geocli_as_info", Family("", "", {})).samples
    } == told


def test_new_bans_are_a_counter_and_the_rest_are_gauges(tmp_path: Path) -> None:
    counter = HeldCounter(tmp_path, NOW)
    begun = Begun({"sshd": 7, OTHER: 2}, {"sshd": 3, OTHER: 0})
    families = parse(exposition(counter.result(), begun, "web", NOW))
    assert families["geocli_new_bans_total"].type == "counter"
    assert families["geocli_new_bans_total"].samples[("jail", "sshd"), ("host", "web")] == 3
    assert families["geocli_recorded_bans"].samples[("jail", OTHER), ("host", "web")] == 2
    assert families["geocli_bans_read_timestamp_seconds"].samples[(("host", "web"),)] == int(NOW)
    assert {family.type for name, family in families.items() if "new" not in name} == {"gauge"}
    assert "geocli_bans" not in families  # nobody is banned: what there is, is the sum
    assert families["geocli_active_bans"].samples[(("host", "web"),)] == 0


def test_no_metric_is_one_of_stats_too(tmp_path: Path) -> None:
    """node_exporter refuses a metric that two of its files have."""
    bans = LocatedBan(Ban("sshd", "8.8.8.8"), GeoRecord("8.8.8.8", "ok", asn=15169))
    database = {"name": "a", "type": "b", "edition": "c", "age_days": 1}
    of_stats = parse(exposition_of_stats(stats(databases=[database], last_flush="2026-11-23T21:42:11Z"), "1"))
    assert not set(of_stats) & set(families_of([bans], 1, tmp_path))
