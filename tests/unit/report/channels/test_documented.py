"""The URLs that docs/messages.md names: Apprise can make a channel of each."""

import re
from pathlib import Path

import pytest

from app.core.errors import ConfigError
from app.report.channels.apprise import LONGEST, Apprise
from app.report.composing import CUT, MOST_CHARS
from app.report.wording import TITLE_CHARS
from tests.unit.report.making import make

PAGE = Path(__file__).parents[4] / "docs" / "messages.md"
# A place of the page, and what somebody would write there; the longest and
# the most special first.
FILLED = {
    "slack://TokenA/TokenB/TokenC": (
        "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
    ),
    "xoxb-...": "xoxb-1234-1234-4ddbc191d40ee098cbaae6f3523ada2d",
    "BOT_TOKEN": "123456789:abcdefg_hijklmnop",
    "CHAT_ID": "12315544",
    "WEBHOOK_ID": "4" * 24,
    "WEBHOOK_TOKEN": "B" * 64,
    "WORKFLOW": "a" * 32,
    "SIGNATURE": "b" * 43,
    "INTEGRATION_KEY": "A" * 32,
    "ROUTING_KEY": "team-a",
    "API_KEY": "a1b2c3d4-0000-4000-8000-a1b2c3d4e5f6",
    "BOT_KEY": "a1b2c3d4-0000-4000-8000-a1b2c3d4e5f6",
    "SECRET": "SEC" + "a" * 40,
    "USER": "ana",
    "PASSWORD": "hunter2",
    "HOST": "chat.example.org",
    "TOPIC": "alerts",
    "from=A": "from=sj@example.org",
    "to=B": "to=ops@example.org",
}


def examples() -> list[str]:
    """Return the URLs of the page's table, in their order."""
    text = PAGE.read_text(encoding="utf-8")
    table = text.partition("| to | URL |")[2].partition("\n\n")[0]
    found: list[str] = []
    for row in table.splitlines():
        cell = row.rpartition(" | ")[2]
        for one in re.findall(r"`([^`]+)`", cell):
            # What begins with a question mark goes with the one before it.
            found.append(found[-1] + one if one.startswith("?") else one)
    return found


def fill(example: str) -> str:
    """Return an example with something in each of its places."""
    for place, value in FILLED.items():
        example = example.replace(place, value)
    # What stands for a token alone is one of 32 signs everywhere.
    return re.sub(r"\bTOKEN\b", "c" * 32, example)


def test_the_table_is_read() -> None:
    """All services that we promise are in it, and each place is filled."""
    schemes = {one.partition("://")[0] for one in examples()}
    assert schemes >= {
        *("slack", "workflows", "tgram", "discord", "dingtalk", "wecombot"),
        *("mailtos", "pagerduty", "opsgenie", "ntfys", "mmosts", "splunk"),
    }
    assert not [one for one in map(fill, examples()) if "..." in one]


@pytest.mark.parametrize("example", examples())
def test_apprise_takes_every_url_of_the_page(
    tmp_path: Path, example: str
) -> None:
    """A channel is made of it as of a setting; nothing is sent."""
    section = {"kind": "apprise", "url": fill(example)}
    assert set(make(tmp_path, {"chat": section})) == {"chat"}


def test_what_is_no_url_of_apprise_is_refused(tmp_path: Path) -> None:
    """So that the test above can fail."""
    for url in ("slack://", "discord://", "nosuchchat://a/b"):
        with pytest.raises(ConfigError):
            make(tmp_path, {"chat": {"kind": "apprise", "url": url}})


@pytest.mark.parametrize("example", examples())
def test_the_longest_letter_goes_in_its_time(example: str) -> None:
    """Apprise rests between its pieces: for Teams it would be 66 s."""
    seconds = 20.0
    service = Apprise(fill(example), seconds)._service
    assert MOST_CHARS + len(CUT) + TITLE_CHARS < LONGEST
    pieces = 1
    if service.overflow_mode != "truncate":
        pieces = -(-LONGEST // service.body_maxlen)
    assert pieces * service.request_rate_per_sec <= 0.7 * seconds
