"""Prometheus, Zabbix and Kubernetes: asked, and read with care."""

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from msgspec.structs import replace

from app.core.errors import OutgoingFailed
from app.models.verdict import Judgement, Reading, Subject
from app.verify.checks.promql import fill, quoted
from tests.fakes import FakeClock
from tests.unit.decide.listener import Answer, Asked, Listener
from tests.unit.verify.making import WEB, away, make_check, measure

GOOD, BAD, WORSE, UNKNOWN = (
    Judgement.GOOD, Judgement.BAD, Judgement.WORSE, Judgement.UNKNOWN,
)  # fmt: skip
NOW = FakeClock().now() // 1_000_000


def series(*values: str) -> Answer:
    """Return what answers as Prometheus does."""
    result = [{"metric": {}, "value": [NOW, value]} for value in values]
    found = {"resultType": "vector", "result": result}
    body = json.dumps({"status": "success", "data": found}).encode()
    return lambda _asked: (200, body)


def ask(
    name: str, answer: Answer, subject: Subject, **settings: object
) -> tuple[Reading, Judgement, list[Asked]]:
    """Return a reading, what it means, and what was asked."""
    with Listener(answer) as listener:
        tree = {"url": listener.url, "token": "s3cret", **settings}
        check = make_check(name, tree, (WEB,))
        found = measure(check, subject)
        return found, check.judge(None, found), listener.asked


def query(text: str, good: str = "below", limit: float = 90) -> Subject:
    """Return a subject with a query."""
    return away(
        host="web-1",
        arguments={"service": 'ng"in\\x', "host": "web-1"},
        options={"query": text, "limit": limit, "good": good},
    )


@pytest.mark.parametrize(
    ("values", "good", "expected", "value"),
    [
        (("80",), "below", GOOD, 80),
        (("95",), "below", BAD, 95),
        (("80", "95"), "below", BAD, 95),
        (("95", "80"), "above", BAD, 80),
        (("95", "99"), "above", GOOD, 95),
        ((), "below", UNKNOWN, None),
        (("NaN",), "below", UNKNOWN, None),
        (("+Inf",), "above", UNKNOWN, None),
        (("80", "NaN"), "below", UNKNOWN, None),
        (("NaN", "80"), "below", UNKNOWN, None),
        (("95", "NaN"), "above", UNKNOWN, None),
        (("NaN", "95"), "above", UNKNOWN, None),
    ],
)
def test_the_worst_series_of_a_query_counts(
    values: tuple[str, ...],
    good: str,
    expected: Judgement,
    value: float | None,
) -> None:
    """No series, or none that is a number, is no reading."""
    found, judgement, asked = ask("promql", series(*values), query("up", good))
    assert (judgement, found.value) == (expected, value)
    assert asked[0].headers["authorization"] == "Bearer s3cret"
    assert parse_qs(urlsplit(asked[0].path).query) == {"query": ["up"]}


def test_a_series_that_is_gone_may_be_the_bad_one() -> None:
    """What is left of them says nothing good; bad is bad with fewer, too."""
    check = make_check("promql", {"url": "http://p"})
    before, _, _ = ask("promql", series("80", "95"), query("up"))
    for values, expected in (
        (("80",), UNKNOWN),
        (("95",), BAD),
        (("80", "70"), GOOD),
        (("80", "70", "60"), GOOD),
    ):
        after, _, _ = ask("promql", series(*values), query("up"))
        assert check.judge(before, after) is expected


def test_names_stand_in_a_query_as_quoted_strings() -> None:
    """Nothing that an alert says gets out of its quotes."""
    subject = query("")
    assert fill("up{instance={host}}", subject) == 'up{instance="web-1"}'
    assert fill("up{instance=~{host~}}", subject) == (
        'up{instance=~"web\\\\-1(:[0-9]+)?"}'
    )
    assert fill("x{service={service}}", subject) == (
        'x{service="ng\\"in\\\\x"}'
    )
    assert quoted('a"} or vector(0) #\n') == '"a\\"} or vector(0) #\\n"'
    with pytest.raises(OutgoingFailed, match="needs queue"):
        fill("x{queue={queue}}", subject)


def test_a_quarter_more_of_bad_is_worse() -> None:
    """Below that it may be chance."""
    check = make_check("promql", {"url": "http://p"})

    def read(value: float) -> Reading:
        """Return a reading of a query."""
        with Listener(series(str(value))) as listener:
            one = make_check("promql", {"url": listener.url})
            return measure(one, query("up"))

    before = read(100)
    assert check.judge(before, read(120)) is BAD
    assert check.judge(before, read(130)) is WORSE
    assert check.judge(before, read(80)) is GOOD


@pytest.mark.parametrize(
    "body",
    [b"<html>", b"{}", b'{"data": {"resultType": "matrix", "result": []}}',
     b'{"data": {"resultType": "vector", "result": [5]}}',
     b'{"data": {"resultType": "vector", "result": [{"value": [1, "x"]}]}}',
     b'{"data": {"resultType": "scalar", "result": null}}', b"[" * 9_000],
)  # fmt: skip
def test_what_is_no_answer_of_a_query_is_a_failure(body: bytes) -> None:
    """It is no value of zero."""
    with pytest.raises(OutgoingFailed, match="none of a query"):
        ask("promql", lambda _asked: (200, body), query("up"))


def test_a_scalar_is_a_value() -> None:
    """Some queries give one."""
    body = b'{"data": {"resultType": "scalar", "result": [1, "7"]}}'
    found, judgement, _ = ask(
        "promql", lambda _asked: (200, body), query("scalar(x)")
    )
    assert (found.value, judgement) == (7.0, GOOD)


def zabbix(
    item: dict[str, Any] | None = None, hosts: int = 1, version: str = "7.0.1"
) -> Answer:
    """Return what answers as a Zabbix does."""
    plain = {"lastvalue": "97.5", "lastclock": str(NOW - 20),
             "value_type": "0", "state": "0"}  # fmt: skip
    results = {
        "apiinfo.version": version,
        "host.get": [{"hostid": str(i)} for i in range(1, hosts + 1)],
        "item.get": [] if item is None else [{**plain, **item}],
    }

    def answer(asked: Asked) -> tuple[int, bytes]:
        """Answer one call."""
        result = results[json.loads(asked.body)["method"]]
        return 200, json.dumps({"result": result, "id": 1}).encode()

    return answer


def item(
    key: str = "vfs.fs.size[{path},pused]", **more: str | float
) -> Subject:
    """Return a subject with an item."""
    return away(
        host="web-1",
        arguments={"path": "/var/log", "queue": "a,b]"},
        options={"key": key, "limit": 90, **more},
    )


@pytest.mark.parametrize("version", ["6.0.14", "6.4.1"])
def test_the_last_value_of_an_item_is_read(version: str) -> None:
    """By its key with the path in it, on the host of any of its names."""
    found, judgement, asked = ask(
        "zabbix_item", zabbix({}, version=version), item()
    )
    assert (found.value, judgement) == (97.5, BAD)
    assert found.says == (
        "vfs.fs.size[/var/log,pused] is 97.5, measured 20 s ago"
    )
    _, hosts, items = (json.loads(one.body) for one in asked)
    assert hosts["params"]["filter"]["host"] == ["10.1.2.3", "web-1"]
    assert items["params"]["filter"] == {"key_": "vfs.fs.size[/var/log,pused]"}
    assert items["params"]["hostids"] == ["1"]
    assert (items.get("auth") == "s3cret") is (version == "6.0.14")


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"lastclock": str(NOW - 500)}, "measured 500 s ago"),
        ({"lastclock": "0", "lastvalue": "0"}, "measured never"),
        ({"value_type": "4"}, "measures no number"),
        ({"state": "1"}, "measures no number"),
    ],
)
def test_an_old_value_is_none(changed: dict[str, str], says: str) -> None:
    """What was measured before the action is no success of it."""
    found, judgement, _ = ask("zabbix_item", zabbix(changed), item())
    assert judgement is UNKNOWN
    assert says in found.says


@pytest.mark.parametrize(
    ("ago", "expected"), [(21, GOOD), (20, GOOD), (19, UNKNOWN), (1, UNKNOWN)]
)
def test_what_was_measured_before_a_job_ended_is_none(
    ago: int, expected: Judgement
) -> None:
    """While a service is restarted its machine is calm, once."""
    subject = replace(item(good="above"), since=(NOW - ago) * 1_000_000)
    found, judgement, _ = ask("zabbix_item", zabbix({}), subject)
    assert judgement is expected
    if expected is UNKNOWN:
        assert "before the job ended" in found.says


def test_how_old_it_may_be_is_declared() -> None:
    """Some items are measured every ten minutes."""
    answer = zabbix({"lastclock": str(NOW - 500)})
    found, judgement, _ = ask(
        "zabbix_item", answer, item(fresh_seconds=600, good="above")
    )
    assert (found.value, judgement) == (97.5, GOOD)


@pytest.mark.parametrize(
    ("answer", "subject", "why"),
    [
        (zabbix({}, hosts=0), item(), "no host named web-1"),
        (zabbix({}, hosts=2), item(), "several hosts named web-1"),
        (zabbix(), item(), "watches no item"),
        (zabbix({}), item("net.tcp.port[{queue}]"), "a plain name"),
        (zabbix({}), item("x[{nothing}]"), "needs nothing"),
        (zabbix({"lastvalue": "x"}), item(), "no number"),
        (zabbix({"lastvalue": None}), item(), "no list of these"),
        (lambda _asked: (500, b""), item(), "status 500"),
    ],
)
def test_what_zabbix_cannot_say_is_a_failure(
    answer: Answer, subject: Subject, why: str
) -> None:
    """Nothing is guessed, and no argument makes another key."""
    with pytest.raises(OutgoingFailed, match=why):
        ask("zabbix_item", answer, subject)


def pod(name: str, *, ready: bool, owner: str = "", **more: Any) -> Any:
    """Return a pod as Kubernetes tells it."""
    owners = [{"name": owner, "controller": True, "kind": "ReplicaSet"}]
    state = {"type": "Ready", "status": "True" if ready else "False"}
    status = {"phase": more.pop("phase", "Running"), "conditions": [state]}
    meta = {"name": name, "ownerReferences": owners if owner else [], **more}
    return {"metadata": meta, "status": status}


def pods(*some: Any, more: str = "") -> Answer:
    """Return what answers as Kubernetes does."""
    body = json.dumps({"items": some, "metadata": {"continue": more}})
    return lambda _asked: (200, body.encode())


POD = away(arguments={"namespace": "shop", "pod": "web-7d4b9c5f-abcde"})
SET = "web-7d4b9c5f"


@pytest.mark.parametrize(
    ("some", "expected"),
    [
        ([pod("web-7d4b9c5f-abcde", ready=True, owner=SET)], GOOD),
        ([pod("web-7d4b9c5f-abcde", ready=False, owner=SET)], BAD),
        # It was deleted; another one stands in for it.
        ([pod("web-7d4b9c5f-zzzzz", ready=True, owner=SET)], GOOD),
        ([pod("web-7d4b9c5f-zzzzz", ready=False, owner=SET)], BAD),
        ([pod("web-7d4b9c5f-abcde", ready=False, owner=SET,
              deletionTimestamp="2026-11-21T00:00:00Z"),
          pod("web-7d4b9c5f-zzzzz", ready=True, owner=SET)], GOOD),
        ([pod("web-7d4b9c5f-zzzzz", ready=True, owner=SET),
          pod("web-7d4b9c5f-yyyyy", ready=False, owner=SET,
              phase="Failed")], GOOD),
        ([pod("web-7d4b9c5f-zzzzz", ready=True, owner=SET),
          pod("web-7d4b9c5f-yyyyy", ready=False, owner=SET)], BAD),
        ([pod("other-1", ready=True, owner="other")], UNKNOWN),
        ([pod("web-7d4b9c5f-abcde", ready=True)], GOOD),
        ([], UNKNOWN),
    ],
)  # fmt: skip
def test_the_pods_of_its_controller_are_ready(
    some: list[Any], expected: Judgement
) -> None:
    """A pod that was deleted comes back under another name."""
    found, judgement, asked = ask("pod_is_ready", pods(*some), POD)
    assert judgement is expected
    assert asked[0].path == "/api/v1/namespaces/shop/pods?limit=500"
    assert asked[0].headers["authorization"] == "Bearer s3cret"
    assert found.says


def test_half_a_list_of_pods_is_a_failure() -> None:
    """Those that are ill might be in the other half."""
    with pytest.raises(OutgoingFailed, match="more than 500 pods"):
        ask("pod_is_ready", pods(more="next"), POD)


def test_without_an_address_pods_have_no_value() -> None:
    """It says which setting is missing."""
    found = measure(make_check("pod_is_ready"), POD)
    assert (found.value, found.says) == (
        None, "checks.pod_is_ready says no address",
    )  # fmt: skip
