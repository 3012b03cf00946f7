"""Recording: what is new is written once, what is known already not at all, what changed once more."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from geocli.bans.recorder import GAP, STEP, Recorder
from geocli.lookup.cache import Cache
from geocli.model.bans import Ban, LocatedBan, SeenBan
from geocli.model.errors import Problems
from geocli.model.records import GeoRecord, utc_text
from geocli.storage.flush import flush
from geocli.storage.journal.journal import Journal
from geocli.storage.store.sqlite import SqliteStore

NOW = datetime(2026, 11, 25, 10, tzinfo=UTC).timestamp()


class Machine:
    """A host whose bans are recorded, flushed now and then."""

    def __init__(self, directory: Path, host: str = "web1") -> None:
        self.journal = Journal(directory / "journal", 1)
        self.store = SqliteStore(directory / "geo.db", 1)
        self.problems = Problems()
        self.host = host
        self.now = NOW

    def record(self, *bans: Ban, at: float = 0) -> int:
        """How many bans were written. ``at`` is seconds after the first moment."""
        self.now = max(self.now, NOW + at)
        cache = Cache(self.journal, self.store, self.problems)
        recorder = Recorder(self.journal, cache, self.problems, self.host, NOW + at)
        before = self.journal.state().bans
        recorder.record([LocatedBan(ban, GeoRecord(ban.text, "unknown")) for ban in bans])
        assert recorder.seen == len(bans)
        assert list(self.problems) == []
        written = self.journal.state().bans - before
        assert written == recorder.written
        return written

    def flush(self) -> None:
        flush(self.journal, self.store, utc_text(self.now), Problems())

    def known(self) -> list[SeenBan]:
        """All bans, after a flush."""
        self.flush()
        return [ban for batch in self.store.every_ban() for ban in batch]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.fixture(params=["in the journal", "in the journal, too many for memory", "in the store"])
def flushes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether what was recorded is flushed before it is seen again."""
    if request.param == "in the journal, too many for memory":
        monkeypatch.setattr("geocli.bans.recorder.MOST_WAITING", 0)
    return bool(request.param == "in the store")


def settle(machine: Machine, *, flushes: bool) -> None:
    if flushes:
        machine.flush()


def moment(seconds: float) -> str:
    return utc_text(NOW + seconds)


TIMED = Ban("sshd", "192.0.2.1", moment(-60), moment(540), 1)
UNTIMED = Ban("sshd", "192.0.2.1")


def test_a_ban_with_a_time_is_written_once_however_often_it_is_seen(machine: Machine, flushes: bool) -> None:
    assert machine.record(TIMED) == 1
    for minute in range(1, 200):
        settle(machine, flushes=flushes)
        assert machine.record(TIMED, at=60 * minute) == 0
    assert machine.known() == [
        SeenBan("web1", "sshd", "192.0.2.1", moment(-60), moment(540), 1, 1, moment(0), moment(0))
    ]


def test_a_ban_whose_end_or_count_changed_is_written_again(machine: Machine, flushes: bool) -> None:
    machine.record(TIMED)
    settle(machine, flushes=flushes)
    longer = TIMED._replace(expires_at=moment(3600), ban_count=2)
    assert machine.record(longer, at=60) == 1
    settle(machine, flushes=flushes)
    assert machine.record(longer, at=120) == 0
    assert machine.record(TIMED._replace(expires_at=moment(90), ban_count=2), at=180) == 1
    (known,) = machine.known()
    assert (known.expires_at, known.ban_count) == (moment(90), 2)
    assert (known.first_seen, known.last_seen) == (moment(0), moment(180))


def test_what_an_input_does_not_tell_takes_nothing_away(machine: Machine, flushes: bool) -> None:
    machine.record(TIMED)
    settle(machine, flushes=flushes)
    assert machine.record(TIMED._replace(expires_at=None, ban_count=None), at=60) == 0
    assert machine.record(TIMED._replace(ban_count=None), at=60) == 0
    machine.record(TIMED._replace(text="192.0.2.2", ban_count=None))
    assert machine.record(TIMED._replace(text="192.0.2.2", expires_at=None, ban_count=3), at=60) == 1
    assert [(ban.expires_at, ban.ban_count) for ban in machine.known()] == [
        (moment(540), 1), (moment(540), 3),
    ]  # fmt: skip


def test_a_second_more_or_less_is_the_same_ban(machine: Machine, flushes: bool) -> None:
    """``banip --with-time`` rounds, the database cuts."""
    machine.record(TIMED)
    settle(machine, flushes=flushes)
    for shift in (-1, 1):
        shifted = TIMED._replace(banned_at=moment(-60 + shift), expires_at=moment(540 + shift))
        assert machine.record(shifted, at=60) == 0
    assert machine.record(TIMED._replace(banned_at=moment(-58)), at=60) == 1
    assert len(machine.known()) == 2


def test_bans_of_one_input_stay_apart_even_by_a_second(machine: Machine, flushes: bool) -> None:
    bans = [TIMED._replace(banned_at=moment(second), expires_at=None) for second in range(5)]
    assert machine.record(*bans) == 5
    settle(machine, flushes=flushes)
    assert machine.record(*bans, at=60) == 0
    assert machine.record(*bans[::-1], at=60) == 0
    assert [ban.banned_at for ban in machine.known()] == [moment(second) for second in range(5)]


def test_hosts_and_jails_have_their_own_bans(machine: Machine, tmp_path: Path, flushes: bool) -> None:
    machine.record(TIMED)
    settle(machine, flushes=flushes)
    other = Machine(tmp_path, "web2")
    assert other.record(TIMED, TIMED._replace(jail=None), TIMED._replace(jail="web")) == 3
    assert other.record(TIMED, TIMED._replace(jail=None), TIMED._replace(jail="web"), at=60) == 0
    other.journal.close()
    other.store.close()
    assert sorted((ban.host, ban.jail) for ban in machine.known()) == [
        ("web1", "sshd"), ("web2", ""), ("web2", "sshd"), ("web2", "web"),
    ]  # fmt: skip


def test_a_ban_without_a_time_has_a_first_and_a_last_moment(machine: Machine, flushes: bool) -> None:
    assert machine.record(UNTIMED) == 1
    written = 0
    for minute in range(1, 150):
        settle(machine, flushes=flushes)
        written += machine.record(UNTIMED, at=60 * minute)
    assert written == 149 * 60 // STEP
    (known,) = machine.known()
    assert (known.banned_at, known.timed, known.first_seen) == (moment(0), 0, moment(0))
    assert known.last_seen == moment(2 * STEP)


def test_who_was_not_seen_for_long_is_banned_anew(machine: Machine, flushes: bool) -> None:
    machine.record(UNTIMED)
    settle(machine, flushes=flushes)
    assert machine.record(UNTIMED, at=GAP) == 1
    settle(machine, flushes=flushes)
    assert machine.record(UNTIMED, at=2 * GAP + 1) == 1
    assert [(ban.first_seen, ban.last_seen) for ban in machine.known()] == [
        (moment(0), moment(GAP)), (moment(2 * GAP + 1), moment(2 * GAP + 1)),
    ]  # fmt: skip


def test_who_records_once_a_day_sees_one_ban(machine: Machine, flushes: bool) -> None:
    for day in range(30):
        assert machine.record(UNTIMED, at=86400 * day + 60 * (day % 7)) == 1
        settle(machine, flushes=flushes)
    assert len(machine.known()) == 1


def test_a_list_without_times_tells_nothing_new_of_a_ban_that_holds(machine: Machine, flushes: bool) -> None:
    machine.record(TIMED)
    settle(machine, flushes=flushes)
    assert machine.record(UNTIMED, at=60) == 0
    assert machine.record(UNTIMED, at=3600) == 1  # that one has ended
    assert [ban.timed for ban in machine.known()] == [1, 0]


def test_a_log_tells_when_a_ban_ended_whose_beginning_it_does_not_know(
    machine: Machine, flushes: bool
) -> None:
    ended = UNTIMED._replace(expires_at=moment(-3600))
    assert machine.record(ended) == 1
    for minute in range(1, 200):
        settle(machine, flushes=flushes)
        assert machine.record(ended, at=60 * minute) == 0
    (known,) = machine.known()
    assert (known.first_seen, known.last_seen, known.expires_at) == (moment(-3600),) * 3


def test_a_clock_that_goes_back_does_not_make_every_minute_write(machine: Machine, flushes: bool) -> None:
    machine.record(TIMED, UNTIMED._replace(text="alice"), at=86400)
    settle(machine, flushes=flushes)
    for minute in range(3):
        assert machine.record(TIMED, UNTIMED._replace(text="alice"), at=60 * minute) == 0
    changed = TIMED._replace(expires_at=moment(1000))
    assert sum(machine.record(changed, at=60 * minute) for minute in range(3)) <= 1


@pytest.mark.parametrize(
    "ban",
    [
        Ban(None, ""),
        Ban("", "x" * 256, "not a time", "neither", -1),
        Ban("sshd", "192.0.2.1", "9999-12-31T23:59:59Z", "1000-01-01T00:00:00Z", 2**40),
        Ban("sshd", "192.0.2.1", "0001-01-01T00:00:00Z", None, 2**31),
    ],
)
def test_whatever_an_input_says_is_something_that_can_be_read_back(
    machine: Machine, ban: Ban, flushes: bool
) -> None:
    assert machine.record(ban) == 1
    settle(machine, flushes=flushes)
    assert machine.record(ban, at=60) == 0
    assert len(machine.known()) == 1
    assert machine.journal.state().quarantined == 0


def test_five_thousand_bans_are_two_segments_and_then_none(machine: Machine) -> None:
    timed = [TIMED._replace(text=f"23.{n >> 8}.{n & 255}.7") for n in range(2500)]
    bans = [*timed, *[UNTIMED._replace(text=f"45.{n >> 8}.{n & 255}.7") for n in range(2500)]]
    assert machine.record(*bans) == 5000
    assert len(machine.journal.keys()) == 2
    assert machine.record(*bans, at=60) == 0
    machine.flush()
    assert machine.record(*bans, at=120) == 0
    assert machine.journal.keys() == []


def test_a_store_that_cannot_be_read_loses_no_ban(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    (tmp_path / "geo.db").write_bytes(b"scribble" * 1000)
    cache = Cache(machine.journal, machine.store, machine.problems)
    recorder = Recorder(machine.journal, cache, machine.problems, "web1", NOW)
    recorder.record([LocatedBan(TIMED, GeoRecord(TIMED.text, "unknown"))])
    assert len(machine.problems) == 1
    assert [ban.ip for batch in machine.journal.bans() for ban in batch] == [TIMED.text]
