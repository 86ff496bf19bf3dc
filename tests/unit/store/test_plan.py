"""What is new in a batch: once, in order, however it is cut up."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from app.models.alert import Status
from app.models.delivery import Filing, Receipt
from app.store.plan import Known, Plan, Seen, draw_plan, identify, itemise
from tests.fakes import make_alert, make_filing

FIRING, RESOLVED, UPDATED = Status.FIRING, Status.RESOLVED, Status.UPDATED


def empty() -> Known:
    """Return a database in which nothing is."""
    return Known({}, {}, {}, {}, 1, 1)


def write(batches: Sequence[Sequence[Filing]]) -> tuple[list[Receipt], Plan]:
    """Return the answers and all the rows of batches, one after another."""
    known = empty()
    whole = Plan()
    for batch in batches:
        plan = draw_plan(itemise(batch), known)
        whole.receipts += plan.receipts
        whole.delivery_rows += plan.delivery_rows
        whole.alert_rows += plan.alert_rows
    return whole.receipts, whole


def test_a_new_delivery_gets_ids() -> None:
    """Each of its alerts is accepted, in order."""
    filing = make_filing(make_alert("a"), make_alert("b"))
    (receipt,), plan = write([[filing]])
    assert receipt == Receipt(delivery=1, accepted=2, alerts=(1, 2))
    assert len(plan.alert_rows) == 2


def test_the_same_bytes_are_counted() -> None:
    """A repeat has the ids of the first, and adds no row."""
    filing = make_filing(make_alert("a"))
    (first, again), plan = write([[filing, filing]])
    assert again.repeat is True
    assert (again.delivery, again.alerts) == (first.delivery, first.alerts)
    assert len(plan.delivery_rows) == len(plan.alert_rows) == 1


def test_three_senders_of_one_alert_make_one_alert() -> None:
    """Other bytes with the same alert are another delivery of it."""
    filings = [make_filing(make_alert("a"), body=b"%d" % n) for n in range(3)]
    receipts, plan = write([filings])
    assert [r.accepted for r in receipts] == [1, 0, 0]
    assert [r.alerts for r in receipts] == [(1,)] * 3
    assert len(plan.delivery_rows) == 3
    assert len(plan.alert_rows) == 1


def test_a_repeat_of_each_sender_is_known() -> None:
    """Also deliveries that brought nothing new are found again."""
    filings = [make_filing(make_alert("a"), body=b"%d" % n) for n in range(3)]
    receipts, _ = write([filings, filings[::-1]])
    assert [r.delivery for r in receipts] == [1, 2, 3, 3, 2, 1]
    assert [r.repeat for r in receipts] == [False] * 3 + [True] * 3


def test_a_delivery_without_alerts_is_known_by_its_bytes() -> None:
    """Test messages and quarantined bodies are not stored twice."""
    filing = make_filing()
    receipts, plan = write([[filing], [filing]])
    assert [r.repeat for r in receipts] == [False, True]
    assert len(plan.delivery_rows) == 1


def test_one_source_does_not_hide_another() -> None:
    """The same fingerprint of two sources is two alerts."""
    one = make_filing(make_alert("a"), source="one")
    two = make_filing(make_alert("a"), source="two")
    receipts, _ = write([[one, two]])
    assert [r.accepted for r in receipts] == [1, 1]


def test_an_alert_twice_in_one_delivery_is_one() -> None:
    """The second is counted as repeated."""
    filing = make_filing(make_alert("a"), make_alert("a"))
    (receipt,), _ = write([[filing]])
    assert (receipt.accepted, receipt.repeated) == (1, 1)


def test_undated_alerts_follow_the_last_status() -> None:
    """Down, down, up, down: the same bytes mean a new event in the end."""
    down = make_filing(make_alert("a", None, FIRING), body=b"down")
    up = make_filing(make_alert("a", None, RESOLVED), body=b"up")
    receipts, plan = write([[down], [down], [up], [down], [down]])
    assert [r.accepted for r in receipts] == [1, 0, 1, 1, 0]
    assert [r.delivery for r in receipts] == [1, 1, 2, 3, 3]
    assert len(plan.alert_rows) == 3


def test_an_update_in_between_does_not_start_a_new_episode() -> None:
    """An acknowledgement says nothing about firing."""
    down = make_filing(make_alert("a", None, FIRING), body=b"down")
    note = make_filing(make_alert("a", None, UPDATED), body=b"note")
    receipts, _ = write([[down, note, down]])
    assert [r.accepted for r in receipts] == [1, 1, 0]


filings_of = st.lists(
    st.builds(
        make_filing,
        st.builds(
            make_alert,
            st.sampled_from("ab"),
            st.sampled_from([None, "1", "2"]),
            st.sampled_from([FIRING, RESOLVED]),
        ),
        st.builds(make_alert, st.sampled_from("cd"), st.just("1")),
        body=st.sampled_from([b"1", b"2", b"3"]),
    ),
    max_size=12,
)


@given(filings_of, st.data())
def test_how_batches_are_cut_changes_nothing(
    filings: list[Filing], data: st.DataObject
) -> None:
    """One batch, or many: the same answers and the same rows."""
    # Like bytes mean like alerts, as from a real parser.
    by_key = {filing.key: filing for filing in filings}
    same = [by_key[filing.key] for filing in filings]
    cut = data.draw(st.integers(0, len(same)))
    assert write([same]) == write([same[:cut], same[cut:]])


@given(filings_of)
def test_no_identity_is_stored_twice(filings: list[Filing]) -> None:
    """However often and mixed it comes, a dated alert has one row."""
    _, plan = write([filings])
    dated = [row[2:6] for row in plan.alert_rows if row[4][0] != "#"]
    assert len(dated) == len(set(dated))
    hashes = [row[1] for row in plan.alert_rows]
    assert len(hashes) == len(set(hashes))
    ids = [row[0] for row in plan.alert_rows]
    assert ids == list(range(1, len(ids) + 1))


def test_what_the_database_knows_is_used() -> None:
    """Stored alerts and hashes make a repeat without this batch's help."""
    filing = make_filing(make_alert("a"))
    known = empty()
    same = identify("a", "alertmanager", "1", "firing")
    known.alerts = {same: Seen(7, 5, "firing")}
    known.keys = {5: filing.key}
    (receipt,) = draw_plan(itemise([filing]), known).receipts
    assert receipt.repeat is True
    assert (receipt.delivery, receipt.alerts) == (5, (7,))
