"""Grafana's provisioning API, as much of it as the set-up needs."""

from typing import Any, Self

import httpx

from scripts.setting_up import Status, Stopped

POINTS = "/api/v1/provisioning/contact-points"
POLICIES = "/api/v1/provisioning/policies"
TIMEOUT_SECONDS = 30.0
# What is made without it cannot be edited in Grafana's own pages any more.
EDITABLE = {"X-Disable-Provenance": "true"}

Tree = dict[str, Any]


class Grafana:
    """One Grafana, asked with a token."""

    def __init__(self, url: str, token: str) -> None:
        """Keep where it is; nothing is asked yet."""
        self.url = url
        self._client = httpx.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {token}"},
            timeout=TIMEOUT_SECONDS,
            trust_env=False,
        )

    def find_contact_point(self, uid: str, name: str) -> Tree | None:
        """Return a contact point, or stop when the name is another's."""
        points: list[Tree] = self._ask("GET", POINTS).json()
        found = None
        for point in points:
            if point.get("uid") == uid:
                found = point
            elif point.get("name") == name:
                raise Stopped(
                    Status.WRONG_USE,
                    f"there is a contact point {name!r} that this script did"
                    " not make.",
                    "Rename or remove it in Grafana, then run this again.",
                )
        return found

    def add_contact_point(self, point: Tree) -> None:
        """Make a contact point that people can edit in Grafana."""
        self._ask("POST", POINTS, json=point, headers=EDITABLE)

    def change_contact_point(self, point: Tree, provenance: str) -> None:
        """Change a contact point; who may edit it stays so."""
        self._ask(
            "PUT",
            f"{POINTS}/{point['uid']}",
            json=point,
            headers=_headers(provenance),
        )

    def remove_contact_point(self, uid: str) -> None:
        """Remove a contact point."""
        self._ask("DELETE", f"{POINTS}/{uid}", headers=EDITABLE)

    def policies(self) -> Tree:
        """Return the tree of notification policies."""
        tree: Tree = self._ask("GET", POLICIES).json()
        return tree

    def set_policies(self, tree: Tree) -> None:
        """Replace the tree; who may edit it stays so."""
        self._ask(
            "PUT",
            POLICIES,
            json=tree,
            headers=_headers(tree.get("provenance", "")),
        )

    def _ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Return a good answer, or stop with what Grafana said."""
        try:
            answer = self._client.request(method, path, **more)
        except httpx.HTTPError as error:
            raise Stopped(
                Status.REFUSED, f"{self.url} was not reached: {error}"
            ) from error
        if not answer.is_success:
            raise Stopped(
                Status.REFUSED,
                f"Grafana refused {method} {path}: {answer.status_code}"
                f" {answer.text.strip()[:500]}",
                _remedy(answer.status_code),
            )
        return answer

    def __enter__(self) -> Self:
        """Keep connections."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close them."""
        self._client.close()


def _headers(provenance: str) -> dict[str, str]:
    """Return what keeps the right to edit a thing as it is.

    Raises:
        Stopped: The thing comes from a file; Grafana would put it back.
    """
    if provenance not in ("", "api"):
        raise Stopped(
            Status.REFUSED,
            f"this is provisioned from elsewhere ({provenance}), and only"
            " from there it can be changed.",
            "Add the contact point and the policy there: docs/monitoring.md.",
        )
    return {} if provenance else EDITABLE


def _remedy(status: int) -> str:
    """Return what to do about a refusal."""
    if status in (401, 403):
        return (
            "The token needs the role Editor or Admin, or the permissions"
            " alert.provisioning:read and alert.provisioning:write."
        )
    return ""
