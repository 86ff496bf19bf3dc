"""Find a job of AWX by our key, among those of its template.

AWX refuses to search variables: any filter by them is answered with 403. So
the jobs of the template are listed, the newest first, and compared here.
"""

from collections.abc import Iterator

from msgspec import UNSET

from app.core.errors import CannotTell
from app.core.jsonapi import Api, Query
from app.models.awx import HIDDEN, AwxJob, AwxJobs

PAGE = 100
MOST_PAGES = 10


async def search(
    api: Api, path: str, query: Query, variable: str, key: str
) -> AwxJob | None:
    """Return the newest job whose variable holds a key, or None.

    Args:
        api: the API.
        path: the list of jobs.
        query: which of them are looked at.
        variable: the variable that holds the key.
        key: the key.

    Raises:
        OutgoingFailed: it cannot be asked now.
        CannotTell: there may be such a job, and nobody can see it.
    """
    is_hidden = False
    before: Query = {}
    for _ in range(MOST_PAGES):
        asked = {**query, "order_by": "-id", "page_size": PAGE, **before}
        page = await _ask(api, path, asked)
        hits = [j for j in page.results if j.told().get(variable) == key]
        if hits:
            return max(hits, key=lambda job: job.id)
        hidden = _hidden(page, variable)
        is_hidden = is_hidden or any(hidden)
        if len(page.results) >= page.count:
            break
        if not page.results:
            raise CannotTell("AWX does not list the jobs that it counts")
        # Pages by number would move while jobs are launched and removed.
        before = {"id__lt": min(job.id for job in page.results)}
    else:
        most = MOST_PAGES * PAGE
        raise CannotTell(f"more than {most} jobs are too many to look at")
    if is_hidden:
        raise CannotTell(f"AWX does not show the {variable} of each job")
    return None


async def _ask(api: Api, path: str, query: Query) -> AwxJobs:
    """Return a page of jobs with their variables, if it shows them at all.

    Ascender, which is made of AWX, shows them only when they are asked for;
    AWX itself would take that for a filter, and refuse it.
    """
    page = await api.ask(path, AwxJobs, query)
    if all(job.extra_vars is not UNSET for job in page.results):
        return page
    return await api.ask(path, AwxJobs, {**query, "include": "extra_vars"})


def _hidden(page: AwxJobs, variable: str) -> Iterator[bool]:
    """Yield of each job whether it may have a key that nobody can see."""
    for job in page.results:
        yield job.extra_vars is UNSET or job.told().get(variable) == HIDDEN
