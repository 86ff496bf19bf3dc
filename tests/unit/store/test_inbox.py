"""The inbox keeps one contract on SQLite and on PostgreSQL."""

import pytest

from app.bootstrap import open_inbox
from app.core.errors import RowRefused
from app.models.alert import Status
from app.models.delivery import Filing, Flaw, Parsed
from app.store.columns import alert_row
from app.store.inbox import SqlInbox
from app.store.location import Location
from app.store.reading import Reader
from tests.fakes import make_alert, make_filing


def test_what_was_written_is_read_back_byte_for_byte(
    inbox: SqlInbox, reader: Reader
) -> None:
    """Bodies are bytes, not text; labels keep every character."""
    body = bytes(range(256))
    alert = make_alert("ü", labels={"a": 'q"✓\\', "b": "\t"}, ends_at=-5)
    (receipt,) = inbox.write([make_filing(alert, body=body)])
    row = reader.find_delivery(receipt.delivery)
    assert row is not None
    assert bytes(row.body) == body
    stored = reader.find_alert(receipt.alerts[0])
    assert stored is not None
    assert stored.fingerprint == "ü"
    assert stored.ends_at == -5
    assert '"q\\"✓\\\\"' in stored.labels


def test_repeats_are_counted_on_their_rows(
    inbox: SqlInbox, reader: Reader
) -> None:
    """Who looks later sees how often and when it came last."""
    inbox.write([make_filing(make_alert(), received_at=10)])
    inbox.write([make_filing(make_alert(), received_at=30)])
    inbox.write([make_filing(make_alert(), body=b"x", received_at=20)])
    delivery = reader.find_delivery(1)
    alert = reader.find_alert(1)
    assert delivery is not None
    assert alert is not None
    assert (delivery.repeats, delivery.last_seen_at) == (1, 30)
    assert (alert.repeats, alert.last_seen_at) == (2, 30)


def test_a_new_connection_knows_what_an_old_one_wrote(
    inbox: SqlInbox, location: Location
) -> None:
    """Two processes on one database agree on what is new."""
    filing = make_filing(make_alert(), make_alert("b", None))
    (first,) = inbox.write([filing])
    other = open_inbox(location, 2.0)
    (again,) = other.write([filing])
    other.close()
    assert again.repeat is True
    assert again.alerts == first.alerts


def test_many_rows_go_in_at_once(inbox: SqlInbox, reader: Reader) -> None:
    """A batch larger than one statement takes is cut up, not lost."""
    alerts = [make_alert(f"f{n}") for n in range(150)]
    filings = [make_filing(*alerts, body=b"a")]
    filings += [
        make_filing(make_alert(f"g{n}"), body=b"%d" % n) for n in range(150)
    ]
    receipts = inbox.write(filings)
    assert receipts[0].accepted == 150
    assert receipts[-1].alerts == (300,)
    assert len(reader.alerts({}, None, 500)) == 300
    assert all(r.repeat for r in inbox.write(filings))


def test_a_batch_is_all_or_nothing(inbox: SqlInbox, reader: Reader) -> None:
    """A value that no database holds takes its whole batch back."""
    good = make_filing(make_alert("a"))
    bad = make_filing(make_alert("b", starts_at=2**70), body=b"bad")
    with pytest.raises(RowRefused):
        inbox.write([good, bad])
    assert reader.deliveries({}, None, 10) == []
    assert inbox.write([good])[0].accepted == 1


def test_the_probe_writes_and_reads(inbox: SqlInbox) -> None:
    """Readiness is asked twice and costs one row."""
    inbox.probe(5)
    inbox.probe(6)


def quarantined(body: bytes, *alerts: str) -> Filing:
    """Return a delivery of which a part was not understood."""
    filing = make_filing(*map(make_alert, alerts), body=body)
    flaw = Flaw("wrong_shape", "$.alerts[0]", "Expected `str`")
    parsed = Parsed(alerts=filing.parsed.alerts, unparsed=(flaw,))
    return Filing(filing.delivery, filing.key, parsed)


def test_the_quarantine_is_found_oldest_first(inbox: SqlInbox) -> None:
    """Page by page, of one source or one delivery."""
    inbox.write([quarantined(b"%d" % n) for n in range(5)])
    inbox.write([make_filing(make_alert(), body=b"fine")])
    bodies = [s.delivery.body for s in inbox.find_unparsed(0, 2, {})]
    assert bodies == [b"0", b"1"]
    bodies = [s.delivery.body for s in inbox.find_unparsed(2, 9, {})]
    assert bodies == [b"2", b"3", b"4"]
    assert inbox.find_unparsed(0, 9, {"source": "other"}) == []
    (only,) = inbox.find_unparsed(0, 9, {"source": "alertmanager", "id": 3})
    assert only.id == 3


def test_a_refiled_delivery_leaves_the_quarantine(
    inbox: SqlInbox, reader: Reader
) -> None:
    """What was known stays, what is new is added to the same delivery."""
    inbox.write([quarantined(b"x", "known")])
    mended = make_filing(make_alert("known"), make_alert("new"), body=b"x")
    receipt = inbox.refile(1, mended)
    assert (receipt.accepted, receipt.repeated) == (1, 1)
    assert inbox.find_unparsed(0, 9, {}) == []
    row = reader.find_delivery(1)
    assert row is not None
    assert (row.outcome, row.accepted, row.unparsed) == ("parsed", 2, 0)
    assert row.alerts == "[1,2]"
    # The sender's own repeat is recognised afterwards.
    assert inbox.write([mended])[0].repeat is True


def test_pages_are_by_id_and_filtered(inbox: SqlInbox, reader: Reader) -> None:
    """Newest first, below an id, and only what was asked for."""
    for n in range(6):
        status = Status.FIRING if n % 2 else Status.RESOLVED
        inbox.write(
            [
                make_filing(
                    make_alert(f"f{n}", status=status),
                    body=b"%d" % n,
                    source="a" if n < 4 else "b",
                    received_at=n,
                )
            ]
        )
    ids = [row.id for row in reader.alerts({}, None, 4)]
    assert ids == [6, 5, 4, 3]
    assert [row.id for row in reader.alerts({}, 3, 4)] == [2, 1]
    where = {"status": "firing", "source": "a"}
    assert [row.id for row in reader.alerts(where, None, 9)] == [4, 2]
    when: dict[str, object] = {"since": 2, "until": 4}
    assert [row.id for row in reader.deliveries(when, None, 9)] == [4, 3]
    assert [row.id for row in reader.alerts({"delivery_id": 5}, None, 9)] == [
        5
    ]
    assert reader.alerts({"delivery_id": 99}, None, 9) == []


def test_alerts_of_one_fingerprint(inbox: SqlInbox, reader: Reader) -> None:
    """All that was said of it, newest first, and nothing of others."""
    for number in ("1", "2"):
        said = [make_alert("again", number), make_alert("other", number)]
        inbox.write([make_filing(*said, body=number.encode())])
    where = {"fingerprint": "again"}
    assert [r.id for r in reader.alerts(where, None, 9)] == [3, 1]


def test_an_undated_message_repeats_the_last_word(inbox: SqlInbox) -> None:
    """The last one by arrival: a replayed alert has a new id, but is old."""
    firing = make_filing(make_alert("a"), body=b"old", received_at=10)
    lost = Parsed(unparsed=(Flaw("wrong_shape", "$", ""),))
    inbox.write([Filing(firing.delivery, firing.key, lost)])
    over = make_alert("a", "2", Status.RESOLVED)
    inbox.write([make_filing(over, body=b"new", received_at=20)])
    inbox.refile(1, firing)
    undated = make_alert("a", None, Status.RESOLVED)
    (receipt,) = inbox.write(
        [make_filing(undated, body=b"undated", received_at=30)]
    )
    assert (receipt.accepted, receipt.repeated) == (0, 1)


def test_a_replay_counts_no_repeat_of_its_own_alerts(
    inbox: SqlInbox, reader: Reader
) -> None:
    """Repeats say how often senders came, not how often we read."""
    inbox.write([quarantined(b"x", "own")])
    inbox.write([quarantined(b"y", "own", "other")])
    both = quarantined(b"x", "own", "other")
    inbox.refile(1, both)
    alerts = {row.fingerprint: row for row in reader.alerts({}, None, 9)}
    assert alerts["own"].repeats == 1
    assert alerts["other"].repeats == 1


def test_a_clock_that_is_set_back_hides_no_undated_alert(
    inbox: SqlInbox,
) -> None:
    """Down, then up and down again by a clock that was an hour ahead."""
    said = [(Status.FIRING, 100), (Status.RESOLVED, 50), (Status.FIRING, 60)]
    receipts = []
    for status, moment in said:
        alert = make_alert("a", None, status)
        body = b"%d" % moment
        filing = make_filing(alert, body=body, received_at=moment)
        receipts += inbox.write([filing])
    assert [receipt.accepted for receipt in receipts] == [1, 1, 1]


def partly(filing: Filing) -> Filing:
    """Return a delivery with a part more that was not understood."""
    flaw = Flaw("wrong_shape", "$[1]", "Expected `str`")
    parsed = Parsed(alerts=filing.parsed.alerts, unparsed=(flaw,))
    return Filing(filing.delivery, filing.key, parsed)


def test_a_replay_tells_no_undated_alert_twice(
    inbox: SqlInbox, reader: Reader
) -> None:
    """It was over since: that says nothing of what was told before."""
    down, up = (
        make_alert("a", None, status)
        for status in (Status.FIRING, Status.RESOLVED)
    )
    flapped = partly(make_filing(down, up, down, body=b"x", received_at=10))
    inbox.write([flapped])
    again = partly(make_filing(down, body=b"y", received_at=20))
    inbox.write([again])
    inbox.write([make_filing(up, body=b"z", received_at=30)])
    before = [(row.id, row.repeats) for row in reader.alerts({}, None, 9)]
    for _ in range(2):
        assert inbox.refile(1, flapped).alerts == (1, 2, 3)
        assert inbox.refile(2, again).alerts == (3,)
    after = [(row.id, row.repeats) for row in reader.alerts({}, None, 9)]
    assert after == before == [(4, 0), (3, 1), (2, 0), (1, 0)]


def test_a_replay_compares_with_what_came_before(
    inbox: SqlInbox, reader: Reader
) -> None:
    """Nobody understood that it fires, still; it is over by now."""
    down = make_alert("a", None)
    inbox.write([make_filing(down, body=b"x", received_at=10)])
    inbox.write([quarantined(b"y")])
    up = make_alert("a", None, Status.RESOLVED)
    inbox.write([make_filing(up, body=b"z", received_at=30)])
    receipt = inbox.refile(2, make_filing(down, body=b"y", received_at=20))
    assert (receipt.accepted, receipt.repeated) == (0, 1)
    assert receipt.alerts == (1,)
    assert len(reader.alerts({}, None, 9)) == 2


def test_errors_tell_no_value_of_a_row(inbox: SqlInbox) -> None:
    """The log gets the kind of error; rows may hold secrets."""
    inbox.write([make_filing(make_alert("a"))])
    row = alert_row(
        (1, 1), b"i", make_filing().delivery, make_alert("hunter2")
    )
    desk = inbox._desk
    desk.begin()
    with pytest.raises(RowRefused) as caught:
        desk.insert([], [row])
    desk.rollback()
    text = str(caught.value)
    assert "hunter2" not in text
    assert "(id)=" not in text
    assert "unique" in text.lower()


def test_a_batch_with_something_known_is_written_once(
    inbox: SqlInbox, reader: Reader
) -> None:
    """After new batches the inbox bets on another one; it may lose."""
    inbox.write([make_filing(make_alert("a"), body=b"a")])
    inbox.write([make_filing(make_alert("b"), body=b"b")])
    new, known, silent = inbox.write(
        [
            make_filing(make_alert("c"), body=b"c"),
            make_filing(make_alert("a"), body=b"other"),
            make_filing(body=b"nothing"),
        ]
    )
    assert (new.delivery, new.accepted, new.alerts) == (3, 1, (3,))
    assert (known.delivery, known.repeated, known.alerts) == (4, 1, (1,))
    assert (silent.delivery, silent.alerts) == (5, ())
    alert = reader.find_alert(1)
    assert alert is not None
    assert alert.repeats == 1
    assert reader.find_alert(4) is None


def test_a_bet_that_repeats_itself_is_written_once(inbox: SqlInbox) -> None:
    """The same delivery may come twice in one batch."""
    inbox.write([make_filing(make_alert("a"), body=b"a")])
    filing = make_filing(make_alert("b"), body=b"b")
    first, again = inbox.write([filing, filing])
    assert (first.accepted, first.repeat) == (1, False)
    assert (again.delivery, again.repeat) == (first.delivery, True)


def test_two_writers_in_turns_never_share_an_id(
    inbox: SqlInbox, location: Location
) -> None:
    """What another process wrote meanwhile is neither lost nor repeated."""
    other = open_inbox(location, 2.0)
    receipts = []
    for number in range(6):
        writer = (inbox, other)[number // 2 % 2]
        name = f"n{number}"
        filing = make_filing(make_alert(name), body=name.encode())
        receipts += writer.write([filing])
    again = inbox.write([make_filing(make_alert("n3"), body=b"n3")])
    other.close()
    assert [receipt.delivery for receipt in receipts] == [1, 2, 3, 4, 5, 6]
    assert [receipt.alerts[0] for receipt in receipts] == [1, 2, 3, 4, 5, 6]
    assert (again[0].repeat, again[0].delivery) == (True, 4)


@pytest.mark.parametrize("count", [1, 15, 600])
def test_batches_of_any_size_are_stored_whole(
    inbox: SqlInbox, reader: Reader, count: int
) -> None:
    """What does not fit into one statement goes in by several."""
    inbox.write([make_filing(make_alert("first"), body=b"first")])
    receipts = inbox.write(
        [
            make_filing(make_alert(f"n{number}"), body=b"%d" % number)
            for number in range(count)
        ]
    )
    assert [r.alerts[0] for r in receipts] == list(range(2, count + 2))
    row = reader.find_delivery(count + 1)
    assert row is not None
    assert bytes(row.body) == b"%d" % (count - 1)
    assert reader.find_delivery(count + 2) is None
