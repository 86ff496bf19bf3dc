"""Where a browser goes on after signing in: only to a page of ours."""

HOME = "/console/incidents"
# A filter with long words in it; written twice as long it fits a cookie, and
# the cookie with all else what a proxy keeps for the head of an answer.
LONGEST = 1_200


def local_path(text: str) -> str:
    """Return a path of this service, HOME for everything else.

    Browsers read two slashes, of either kind, as the begin of another site,
    and leave out tabs and line ends before they look.
    """
    is_plain = text.isascii() and text.isprintable() and len(text) <= LONGEST
    if not is_plain or not text.startswith("/") or "\\" in text:
        return HOME
    return HOME if text.startswith("//") else text
