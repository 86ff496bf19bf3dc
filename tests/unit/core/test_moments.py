"""Texts of time: read exactly, or not at all."""

import pytest

from app.core.clock import FIRST, LAST, from_iso, to_iso

DAY = 86_400_000_000
NOON = 1_795_262_400_000_000  # 2026-11-21T12:00:00Z


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:00.000001Z", 1),
        ("1969-12-31T23:59:59.999999Z", -1),
        ("2026-11-21T12:00:00Z", NOON),
        ("2026-11-21T12:00Z", NOON),
        ("2026-11-21 12:00:00+00:00", NOON),
        ("2026-11-21T12:00:00", NOON),  # no zone is UTC
        ("2026-11-21T12", NOON),
        ("20261121T120000Z", NOON),
        ("2026-W47-6T12:00:00Z", NOON),
        ("2026-11-21T13:00:00+01:00", NOON),
        ("2026-11-21T17:30:00+05:30", NOON),
        ("2026-11-20T23:00:00-13:00", NOON),
        ("2026-11-21", NOON - DAY // 2),
        ("2026-11-21T12:00:00,5Z", NOON + 500_000),
        ("2026-11-21T12:00:00.123456789Z", NOON + 123_456),
        ("0001-01-01T00:00:00Z", FIRST),
        ("9999-12-31T23:59:59.999999Z", LAST),
        ("0001-01-01T00:00:00+01:00", FIRST - 3_600_000_000),
        ("9999-12-31T23:59:59.999999-01:00", LAST + 3_600_000_000),
    ],
)
def test_a_text_of_time_is_a_moment(text: str, moment: int) -> None:
    """To the microsecond, by its own zone, before 1970 as after it."""
    assert from_iso(text) == moment


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "now",
        "2h",
        "1795262400",
        "2026",
        "2026-11",
        "2026-02-29",
        "2026-11-31T00:00:00Z",
        "2026-13-01",
        "2026-11-21T24:00:00Z",
        "2026-11-21T12:60Z",
        "2026-11-21T12:00:60Z",
        "2026-11-21T12:00:00+25:00",
        "2026-11-21T12:00:00 Europe/Berlin",
        " 2026-11-21T12:00:00Z",
        "2026-11-21T12:00:00Z\n",
        "0000-01-01",
        "-2026-11-21",
        "10000-01-01",
        "2026-11-21T12:00:00\ud800",
        "2026-11-21\x00",
    ],
)
def test_what_is_no_time_is_none(text: str) -> None:
    """Whatever it is: no error, and no moment near it."""
    assert from_iso(text) is None


@pytest.mark.parametrize("moment", [FIRST, -1, 0, 1, NOON, NOON + 7, LAST])
def test_a_moment_survives_its_text(moment: int) -> None:
    """What we show is read as the same moment."""
    assert from_iso(to_iso(moment) or "") == moment


@pytest.mark.parametrize("moment", [FIRST - 1, LAST + 1])
def test_one_microsecond_beyond_the_calendar_has_no_text(moment: int) -> None:
    """The edge is exact on both sides."""
    assert to_iso(moment) is None
