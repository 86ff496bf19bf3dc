"""Deliveries over the wire: what is accepted, refused, and how."""

import urllib.request
from typing import Any

import httpx
import pytest

from tests.flow.wire import group, request, statuses, talk
from tests.service import Service

CLOSE = "connection: close"
PATH = "/webhooks/alertmanager"


def post(
    service: Service, source: str, body: bytes, **options: Any
) -> httpx.Response:
    """Deliver a body to a source."""
    url = f"{service.url}/webhooks/{source}"
    return httpx.post(url, content=body, **options)


def assert_problem(answer: httpx.Response, status: int, reason: str) -> None:
    """Check that an answer is a problem that says what to do."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["reason"] == reason
    assert problem["title"]
    assert problem["detail"]
    assert problem["remedy"]


def test_a_delivery_is_answered_with_its_receipt(shared: Service) -> None:
    """Counts and ids, 202."""
    answer = post(shared, "alertmanager", group("r1", "r2"))
    assert answer.status_code == 202
    receipt = answer.json()
    assert receipt["accepted"] == 2
    assert len(receipt["alerts"]) == 2
    again = post(shared, "alertmanager", group("r1", "r2")).json()
    assert again["repeat"] is True
    assert again["alerts"] == receipt["alerts"]


@pytest.mark.parametrize("token", ["old-token", "new-token"])
def test_either_secret_opens(shared: Service, token: str) -> None:
    """While a secret is being changed, both are right."""
    headers = {"authorization": f"Bearer {token}"}
    answer = post(shared, "locked", group(token), headers=headers)
    assert answer.status_code == 202


def test_a_wrong_secret_is_refused(shared: Service) -> None:
    """401 with the way to ask, nothing stored."""
    headers = {"authorization": "Bearer guess"}
    answer = post(shared, "locked", group("stolen"), headers=headers)
    assert_problem(answer, 401, "wrong_secret")
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert_problem(post(shared, "locked", group("s")), 401, "no_secret")
    url = f"{shared.url}/api/v1/alerts?fingerprint=stolen"
    assert httpx.get(url).json()["items"] == []


def test_a_client_that_waits_to_be_asked_shows_its_password(
    shared: Service,
) -> None:
    """It sends none at first, and only when it is asked in its scheme."""
    url = f"{shared.url}/webhooks/password"
    known = urllib.request.HTTPPasswordMgrWithDefaultRealm()
    known.add_password(None, url, "am", "pass")
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}),
        urllib.request.HTTPBasicAuthHandler(known),
    )
    with opener.open(url, group("asked"), timeout=10) as answer:
        assert answer.status == 202


@pytest.mark.parametrize("path", ["alertmanager", "locked", "narrow"])
def test_no_answer_is_taken_for_another_kind_of_file(
    shared: Service, path: str
) -> None:
    """A receipt, and refusals of several kinds."""
    answer = post(shared, path, group(f"kind-{path}", cluster="other"))
    assert answer.status_code == {"alertmanager": 202, "locked": 401}.get(
        path, 403
    )
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_source_speaks_for_its_own_labels(shared: Service) -> None:
    """Of a mixed delivery its part, of a foreign one nothing: 403."""
    answer = post(shared, "narrow", group("n1", cluster="bank"))
    assert_problem(answer, 403, "not_allowed")
    mixed = (
        group("n2", cluster="lab")[:-2]
        + b","
        + (group("n3", cluster="bank").partition(b'"alerts": [')[2])
    )
    receipt = post(shared, "narrow", mixed).json()
    assert (receipt["accepted"], receipt["rejected"]) == (1, 1)


def test_an_unknown_source_is_named(shared: Service) -> None:
    """404 with the names that there are."""
    answer = post(shared, "nagios", b"{}")
    assert_problem(answer, 404, "unknown_source")
    assert "alertmanager" in answer.json()["detail"]


@pytest.mark.parametrize("method", ["GET", "DELETE", "OPTIONS", "HEAD"])
def test_other_methods_are_refused(shared: Service, method: str) -> None:
    """405; a HEAD has no body."""
    url = f"{shared.url}/webhooks/alertmanager"
    answer = httpx.request(method, url)
    assert answer.status_code == 405
    if method != "HEAD":
        assert_problem(answer, 405, "wrong_method")


def test_put_is_taken_as_post(shared: Service) -> None:
    """Grafana can be set to either."""
    url = f"{shared.url}/webhooks/alertmanager"
    assert httpx.put(url, content=group("put")).status_code == 202


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (b" " * 20_001, 413, "body_too_large"),
        (b"[" * 5_000, 422, "over_depth"),
        (group(*map(str, range(21))), 422, "over_alerts"),
        (group("l", **{"n" * 129: "x"}), 422, "over_label_name_chars"),
        (group("l", n="x" * 4_097), 422, "over_label_value_chars"),
    ],
)
def test_over_a_limit_is_refused(
    shared: Service, body: bytes, status: int, reason: str
) -> None:
    """With the limit's name; nothing is stored."""
    assert_problem(post(shared, "alertmanager", body), status, reason)


def test_a_compressed_body_is_refused(shared: Service) -> None:
    """A small bomb could fill the memory."""
    headers = {"content-encoding": "gzip"}
    answer = post(shared, "alertmanager", b"\x1f\x8b", headers=headers)
    assert_problem(answer, 415, "encoded")


@pytest.mark.parametrize(
    ("body", "reason", "field"),
    [
        (b"not json", "not_json", "$"),
        (b"", "not_json", "$"),
        (b"\xff\xfe\x00", "not_json", "$"),
        (b'{"alerts":NaN}', "not_json", "$"),
        (b'{"status":"firing"}', "wrong_shape", "$"),
        (b'{"alerts":[{"status":7}]}', "wrong_shape", "$.alerts[0].status"),
    ],
)
def test_what_is_not_understood_is_kept(
    shared: Service, body: bytes, reason: str, field: str
) -> None:
    """Accepted, byte for byte in quarantine, with reason and field."""
    receipt = post(shared, "alertmanager", body).json()
    assert receipt["unparsed"] == 1
    url = f"{shared.url}/api/v1/deliveries/{receipt['delivery']}"
    row = httpx.get(url).json()
    assert (row["outcome"], row["reason"]) == ("unparsed", reason)
    assert row["field"] == field
    assert httpx.get(f"{url}/body").content == body
    assert_problem(post(shared, "strict", body), 422, reason)


def test_a_broken_alert_does_not_spoil_the_others(shared: Service) -> None:
    """The good one is accepted, the other one waits for a replay."""
    good, bad = group("good"), group("bad").replace(b'"2026', b'"when')
    body = good[:-2] + b"," + bad.partition(b'"alerts": [')[2]
    receipt = post(shared, "alertmanager", body).json()
    assert (receipt["accepted"], receipt["unparsed"]) == (1, 1)


def test_duplicate_keys_are_read_as_the_last(shared: Service) -> None:
    """One documented reading; the raw bytes are kept as they came."""
    body = group("dup").replace(
        b'"status": "firing"', b'"status": "firing", "status": "resolved"'
    )
    receipt = post(shared, "alertmanager", body).json()
    alert = httpx.get(
        f"{shared.url}/api/v1/alerts/{receipt['alerts'][0]}"
    ).json()
    assert alert["status"] == "resolved"


def test_requests_may_follow_without_waiting(shared: Service) -> None:
    """Pipelined deliveries are answered each, in order."""
    requests = [request(PATH, group(f"pipe{n}")) for n in range(3)]
    health = b"GET /health HTTP/1.1\r\nhost: test\r\n\r\n"
    last = request(PATH, group("pipe9"), CLOSE)
    answer = talk(shared, b"".join([*requests, health, last]))
    assert statuses(answer) == [b"202", b"202", b"202", b"200", b"202"]
    assert answer.count(b'"accepted":1') == 4


def test_a_body_may_come_in_pieces(shared: Service) -> None:
    """Split anywhere, chunked, or after a 100."""
    whole = request("/webhooks/alertmanager", group("pieces"), CLOSE)
    pieces = [whole[n : n + 50] for n in range(0, len(whole), 50)]
    assert talk(shared, *pieces).startswith(b"HTTP/1.1 202")
    body = group("chunked")
    head = (
        b"POST /webhooks/alertmanager?x=1 HTTP/1.1\r\nhost: test\r\n"
        b"transfer-encoding: chunked\r\nconnection: close\r\n\r\n"
    )
    chunks = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    assert talk(shared, head, chunks).startswith(b"HTTP/1.1 202")
    expecting = request(
        "/webhooks/alertmanager", group("hundred"), CLOSE,
        "expect: 100-continue",
    )  # fmt: skip
    answer = talk(shared, expecting)
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202")


def test_http_1_0_is_answered_and_closed(shared: Service) -> None:
    """Old clients are served too."""
    whole = request("/webhooks/alertmanager", group("old")).replace(
        b"HTTP/1.1", b"HTTP/1.0"
    )
    assert b"202 Accepted" in talk(shared, whole)


def test_a_chunked_body_is_counted_as_it_comes(shared: Service) -> None:
    """Without a content-length the limit holds all the same."""
    head = (
        b"POST /webhooks/alertmanager HTTP/1.1\r\nhost: test\r\n"
        b"transfer-encoding: chunked\r\n\r\n"
    )
    chunk = b"2710\r\n" + b" " * 10_000 + b"\r\n"
    answer = talk(shared, head, chunk, chunk, chunk)
    assert answer.startswith(b"HTTP/1.1 413")


def test_what_is_no_http_is_answered_400(shared: Service) -> None:
    """With a problem; and the service lives on."""
    answer = talk(shared, b"\x16\x03\x01\x02\x00hello\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"application/problem+json" in answer
    assert b'"reason":"not_http"' in answer
    assert b'"field":"request"' in answer
    assert b'"remedy":' in answer
    assert httpx.get(f"{shared.url}/health").status_code == 200


def test_what_is_broken_does_not_overtake_an_answer(shared: Service) -> None:
    """The delivery before it gets its receipt first."""
    good = request(PATH, group("before"))
    answer = talk(shared, good + b"\x16\x03\x01\r\n\r\n")
    assert statuses(answer) == [b"202", b"400"]
