"""What Smokejumper says about itself, as anybody sees it by HTTP."""

from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.real.waiting import wait_for

Row = dict[str, Any]


class Listing:
    """The alerts, deliveries and metrics of one running service."""

    def __init__(self, url: str) -> None:
        self.url = url

    def alerts(self, **where: str) -> list[Row]:
        """Return the alerts that match, oldest first."""
        return self._list("alerts", where)

    def deliveries(self, **where: str) -> list[Row]:
        """Return the deliveries that match, oldest first."""
        return self._list("deliveries", where)

    def body(self, delivery_id: int) -> bytes:
        """Return the bytes of a delivery."""
        answer = httpx.get(f"{self.url}/api/v1/deliveries/{delivery_id}/body")
        return answer.raise_for_status().content

    def delivery_of(self, alert: Row) -> Row:
        """Return the delivery that brought an alert."""
        path = f"{self.url}/api/v1/deliveries/{alert['delivery_id']}"
        row: Row = httpx.get(path).raise_for_status().json()
        return row

    def metric(self, name: str, **labels: str) -> float:
        """Return the sum of a metric's samples that carry the labels."""
        text = httpx.get(f"{self.url}/metrics").raise_for_status().text
        return sum(
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    def wait_for_alert(self, **where: str) -> Row:
        """Return the one alert that matches, once it is there."""
        found = wait_for(f"alert {where}", lambda: self.alerts(**where))
        assert len(found) == 1, f"{len(found)} rows for one alert: {found}"
        return found[0]

    def wait_for_repeat(self, alert: Row) -> Row:
        """Return the delivery of an alert, once its bytes came again."""

        def look() -> Row | None:
            """Return the delivery if it was repeated."""
            delivery = self.delivery_of(alert)
            return delivery if delivery["repeats"] else None

        again = wait_for(f"repeat of {alert['name']}", look)
        assert again is not None
        return again

    def _list(self, what: str, where: dict[str, str]) -> list[Row]:
        """Return the rows of a list, oldest first."""
        query = {**where, "limit": "500"}
        answer = httpx.get(f"{self.url}/api/v1/{what}", params=query)
        items: list[Row] = answer.raise_for_status().json()["items"]
        return items[::-1]
