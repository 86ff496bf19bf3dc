"""The reading side: lists, pages, filters, health and metrics."""

import json
import re
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.flow.wire import group
from tests.postgres import Postgres
from tests.service import OPEN, Service


@pytest.fixture(scope="module", autouse=True)
def seven(shared: Service) -> None:
    """Deliver seven alerts, one by one."""
    for number in range(7):
        body = group(f"s{number}", severity="page" if number % 2 else "info")
        url = f"{shared.url}/webhooks/alertmanager"
        httpx.post(url, content=body).raise_for_status()


def items(service: Service, query: str) -> list[str]:
    """Return the fingerprints that a query lists."""
    answer = httpx.get(f"{service.url}/api/v1/alerts?{query}")
    answer.raise_for_status()
    return [item["fingerprint"] for item in answer.json()["items"]]


def test_pages_follow_each_other(shared: Service) -> None:
    """Every alert once, newest first, the last page says so."""
    seen = []
    path = "/api/v1/alerts?limit=3&source=alertmanager"
    while path:
        page = httpx.get(shared.url + path).json()
        seen += [item["fingerprint"] for item in page["items"]]
        path = page["next"]
    assert seen == [f"s{number}" for number in reversed(range(7))]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("severity=critical", ["s5", "s3", "s1"]),
        ("severity=critical&before=4", ["s1"]),
        ("fingerprint=s2", ["s2"]),
        ("status=resolved", []),
        ("source=nobody", []),
        ("delivery_id=3", ["s2"]),
        ("name=A&limit=1", ["s6"]),
        ("since=2000-01-01T00:00:00Z&until=2000-01-02T00:00:00Z", []),
        ("since=2000-01-01T00:00:00%2B02:00&limit=1", ["s6"]),
    ],
)
def test_filters_narrow(shared: Service, query: str, found: list[str]) -> None:
    """Alone and together."""
    assert items(shared, query) == found


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=501",
        "before=0",
        "before=99999999999999999999",
        "severity=bad",
        "since=yesterday",
        "since=2000-01-01T00:00:00",
        "nonsense=1",
        "name=%00",
        "source=a%00b",
        "fingerprint=%00",
        "text=...",
        "text=ab*",
        "severity=critical,bad",
        "count=all",
        "repeats_min=-1",
        "after=-1",
    ],
)
def test_a_wrong_filter_is_named(shared: Service, query: str) -> None:
    """422, with the parameter."""
    answer = httpx.get(f"{shared.url}/api/v1/alerts?{query}")
    assert answer.status_code == 422
    assert query.partition("=")[0] in answer.json()["field"]


def read(service: Service, path: str) -> dict[str, Any]:
    """Return an answer of the reading API."""
    answer = httpx.get(f"{service.url}/api/v1/{path}")
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found


def wait_for(service: Service, path: str, count: int) -> list[dict[str, Any]]:
    """Return the items of a list as soon as there are so many."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        items = read(service, path)["items"]
        if len(items) >= count:
            return list(items)
        time.sleep(0.05)
    raise AssertionError(f"{path} never had {count} items")


def check_incident(service: Service) -> None:
    """One incident, its log, and all that is said of it."""
    incident = wait_for(service, "incidents?text=A", 1)[-1]
    found = read(service, f"incidents/{incident['id']}")
    assert {name: found[name] for name in incident} == incident
    assert found["all_episodes"][0]["because"] == ""
    assert found["merged"] == found["words"] == []
    assert incident["id"] not in found["siblings"]
    log = httpx.get(service.url + found["log"]).json()
    assert log["items"][-1]["kind"] == "incident.opened"
    assert log["seq"] >= log["items"][0]["id"]
    entry = read(service, f"log/{log['items'][0]['id']}")
    assert entry == log["items"][0]
    alert = read(service, f"alerts/{found['all_episodes'][0]['first_alert']}")
    assert alert["incident_id"] == incident["id"]
    for path in ("log?incident", "export/log?incident"):
        one, other = (
            httpx.get(f"{service.url}/api/v1/{path}{more}={incident['id']}")
            for more in ("", "_id")
        )
        assert one.status_code == 200
        texts = [answer.text.replace("_id=", "=") for answer in (one, other)]
        # The log goes on between the two.
        bodies = [re.sub(r'^{"seq":\d+,', "", text) for text in texts]
        assert bodies[0] == bodies[1]
        assert "incident.opened" in one.text


def test_an_incident_is_shown_with_its_log(shared: Service) -> None:
    """From the alert to the line in the log."""
    check_incident(shared)


@pytest.mark.parametrize(
    ("query", "some"),
    [
        ("incidents?state=open,waiting", True),
        ("incidents?state=open&state=waiting", True),
        ("incidents?state=resolved", False),
        ("incidents?state=merged", False),
        ("incidents?merged=true", True),
        ("incidents?problem=A&firing_min=1", True),
        ("incidents?begins_at_until=2000-01-01T00:00:00Z", False),
        ("incidents?owner=ana", False),
        ("log?kind=incident.opened&text=a", True),
        ("log?status=open,merged&actor=nobody", False),
        ("log?incident_id=1", True),
        ("log?incident=1", True),
        ("log?incident=1000,1001", False),
        ("log?incident=1000&incident_id=1", True),
        ("log?since=2000-01-01T00:00:00Z&text=A", True),
        ("log?until=2000-01-01T00:00:00Z", False),
        ("alerts?text=a&severity=critical,info", True),
        ("alerts?text=a&repeats_min=1000", False),
        ("alerts?until=2000-01-01T00:00:00Z", False),
        ("deliveries?text=alertm*", True),
        ("deliveries?text=a&outcome=parsed&accepted_min=1", True),
        ("deliveries?text=nowhere", False),
    ],
)
def test_every_list_takes_filters_and_words(
    shared: Service, query: str, some: bool
) -> None:
    """Alone and together, also while folding is still behind."""
    if some:
        wait_for(shared, query, 1)
    else:
        assert read(shared, query)["items"] == []


def test_pages_also_go_upwards(shared: Service) -> None:
    """From the oldest to the newest, each page newest first."""
    seen: list[int] = []
    path = "/api/v1/alerts?limit=3&after=0&source=alertmanager"
    while path:
        page = httpx.get(shared.url + path).json()
        seen = [item["id"] for item in page["items"]] + seen
        path = page["next"]
    down = read(shared, "alerts?limit=500&source=alertmanager")["items"]
    assert seen == [item["id"] for item in down]


def test_a_count_says_what_it_is(shared: Service) -> None:
    """None, about, or exactly; one page that holds all is exact for free."""
    query = "alerts?source=alertmanager&"
    assert read(shared, f"{query}count=none")["count"] is None
    exact = read(shared, f"{query}count=exact&limit=2")["count"]
    assert exact == {"value": 7, "kind": "exact"}
    about = read(shared, f"{query}limit=2")["count"]
    assert about["kind"] == "estimated"
    assert about["value"] >= 2
    assert read(shared, f"{query}limit=500")["count"] == exact


@pytest.mark.parametrize(
    "path",
    ["alerts", "alerts/1", "deliveries/1/body", "sources", "incidents"],
)
def test_who_has_it_already_is_told_so(shared: Service, path: str) -> None:
    """304 for a tag that still holds, alone, weak or among others."""
    wait_for(shared, "incidents", 1)
    url = f"{shared.url}/api/v1/{path}"
    answer = httpx.get(url)
    tag = answer.headers["etag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = httpx.get(url, headers={"if-none-match": known})
        assert again.status_code == 304
        assert again.content == b""
        assert again.headers["etag"] == tag
    other = httpx.get(url, headers={"if-none-match": '"other"'})
    assert other.content == answer.content


@pytest.mark.parametrize(
    "text",
    [
        "%22%20OR%20rowid%20%3E%200",
        "NEAR(a%20b)",
        "words:a",
        "a%20AND%20NOT%20b",
        "%27%3B%20DROP%20TABLE%20entry%3B--",
        "%F0%9F%94%A5a",
        "%EE%80%80t41",
        "%5C",
        "***",
        "%22",
        "%00",
        "%FF",
        "a*",
    ],
)
@pytest.mark.parametrize("what", ["alerts", "deliveries", "incidents", "log"])
def test_a_weird_text_is_a_page_or_a_problem(
    shared: Service, what: str, text: str
) -> None:
    """Never a crash, and never the language of the database."""
    answer = httpx.get(f"{shared.url}/api/v1/{what}?text={text}")
    assert answer.status_code in {200, 422}
    if answer.status_code == 422:
        assert answer.json()["field"] == "query.text"


@pytest.mark.parametrize("path", ["alerts/999", "deliveries/999", "nothing"])
def test_what_is_not_there_is_404(shared: Service, path: str) -> None:
    """As a problem."""
    answer = httpx.get(f"{shared.url}/api/v1/{path}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["reason"]
    assert problem["field"]
    assert problem["remedy"]


def test_a_wrong_method_is_405(shared: Service) -> None:
    """With the methods that are right."""
    answer = httpx.post(f"{shared.url}/api/v1/alerts")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET"
    problem = answer.json()
    assert (problem["field"], problem["reason"]) == ("method", "wrong_method")


@pytest.mark.parametrize("what", ["alerts", "deliveries"])
def test_the_last_page_has_no_next(shared: Service, what: str) -> None:
    """Also when it is full to the last row."""
    query = f"{shared.url}/api/v1/{what}?source=alertmanager&limit="
    total = len(httpx.get(f"{query}500").json()["items"])
    full = httpx.get(f"{query}{total}").json()
    assert full["next"] is None
    assert len(full["items"]) == total
    part = httpx.get(f"{query}{total - 1}").json()
    assert len(part["items"]) == total - 1
    rest = httpx.get(shared.url + part["next"]).json()
    assert len(rest["items"]) == 1
    assert rest["next"] is None


@pytest.mark.real
def test_postgresql_answers_the_same(
    tmp_path: Path, postgres: Postgres
) -> None:
    """Each filter once on the other database, and its failure told."""
    url = postgres.make_database("api")
    with Service(tmp_path, {"database": {"url": url}}) as service:
        for number in range(3):
            httpx.post(
                f"{service.url}/webhooks/alertmanager",
                content=group(f"s{number}"),
            ).raise_for_status()
        for query, found in (
            ("limit=2", ["s2", "s1"]),
            ("fingerprint=s1&name=A&status=firing", ["s1"]),
            ("delivery_id=1&source=alertmanager", ["s0"]),
            ("severity=critical", []),
            ("before=2&since=2000-01-01T00:00:00Z", ["s0"]),
        ):
            assert items(service, query) == found
        check_incident(service)
        wait_for(service, "deliveries?text=alertm*", 3)
        wait_for(service, "alerts?text=a&status=firing", 3)
        answer = httpx.get(f"{service.url}/api/v1/alerts?name=%00")
        assert answer.status_code == 422


def test_an_unreadable_database_tells_strangers_nothing(
    tmp_path: Path,
) -> None:
    """503 from every door; what the database said is in the log."""
    with Service(tmp_path) as service:
        with closing(sqlite3.connect(service.database)) as connection:
            connection.execute("ALTER TABLE alert RENAME TO gone")
            connection.execute("ALTER TABLE probe RENAME TO probed")
            connection.commit()
        listed = httpx.get(f"{service.url}/api/v1/alerts")
        ready = httpx.get(f"{service.url}/ready")
        assert httpx.head(f"{service.url}/ready").status_code == 503
        log = service.log.read_text()
    for answer in (listed, ready):
        assert answer.status_code == 503
        assert "table" not in answer.text
        assert "SQL" not in answer.text
    assert "no such table: alert" in log
    assert "no such table: probe" in log


def test_a_body_is_a_download(shared: Service) -> None:
    """A browser does not run what a stranger sent."""
    answer = httpx.get(f"{shared.url}/api/v1/deliveries/1/body")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "attachment" in answer.headers["content-disposition"]


def test_the_sources_are_listed(shared: Service) -> None:
    """With their paths, without their secrets."""
    answer = httpx.get(f"{shared.url}/api/v1/sources")
    names = [source["name"] for source in answer.json()]
    assert names == ["alertmanager", "locked", "narrow", "password", "strict"]
    assert "token" not in answer.text


def test_metrics_are_prometheus_text(shared: Service) -> None:
    """Each number by source; they add up to what was sent."""
    text = httpx.get(f"{shared.url}/metrics").text
    samples = {
        (sample.name, sample.labels.get("source")): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    count = samples["smokejumper_alerts_accepted_total", "alertmanager"]
    assert count >= 7
    assert samples["smokejumper_alerts_accepted_total", "locked"] == 0
    assert samples["smokejumper_queue_deliveries", None] == 0
    assert samples["smokejumper_commit_seconds_count", None] >= 7


def test_log_lines_are_json_with_ids_and_without_bodies(
    shared: Service,
) -> None:
    """Every line can be parsed; no label and no secret is in one."""
    lines = shared.log.read_text().splitlines()
    events = [json.loads(line) for line in lines]
    assert any(1 in event.get("deliveries", []) for event in events)
    assert not any("alertname" in line for line in lines)


def test_strangers_may_not_read_without_a_token(tmp_path: Path) -> None:
    """With a token set, only its bearer reads; health stays open."""
    settings = {"sources": {"alertmanager": OPEN}, "api": {"tokens": ["t1"]}}
    with Service(tmp_path, settings) as service:
        url = f"{service.url}/api/v1/alerts"
        assert httpx.get(url).status_code == 401
        wrong = {"authorization": "Bearer t2"}
        assert httpx.get(url, headers=wrong).status_code == 401
        right = {"authorization": "Bearer t1"}
        assert httpx.get(url, headers=right).status_code == 200
        assert httpx.get(f"{service.url}/health").status_code == 200
