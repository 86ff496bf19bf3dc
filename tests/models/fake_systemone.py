"""A fake of a System One endpoint: typed questions, probabilities.

Written after the wire format that the API pages of its makers show, and
that the client of Ollama speaks.
"""

from collections.abc import Mapping

from tests.models.server import Asked, FakeServer, Reply


class FakeSystemOne(FakeServer):
    """Answers questions of type choice with given probabilities."""

    def __init__(
        self,
        probabilities: Mapping[str, float] | None = None,
        *replies: Reply,
    ) -> None:
        super().__init__()
        self.probabilities = dict(probabilities or {})
        self.replies = list(replies)

    def answer(self, asked: Asked) -> Reply:
        """Return what the endpoint answers to a request."""
        if asked.path != "/v1/systemone":
            return Reply({"error": {"message": "Not Found"}}, 404)
        if self.replies:
            return self.replies.pop(0)
        answers = {
            name: self._choose(list(question["criteria"]))
            for name, question in asked.body["questions"].items()
        }
        return verdict(answers, asked.body["model"])

    def _choose(self, options: list[str]) -> dict[str, object]:
        """Return an answer; an option without a figure gets nothing."""
        given = {name: self.probabilities.get(name, 0.0) for name in options}
        best = max(given, key=lambda name: given[name])
        return choice(best, given)


def choice(best: str, given: Mapping[str, float]) -> dict[str, object]:
    """Return the answer to one question."""
    return {
        "type": "choice",
        "choice": best,
        "probabilities": dict(given),
        "confidence": 0.5,
    }


def verdict(answers: Mapping[str, object], model: str = "decider") -> Reply:
    """Return a whole answer."""
    usage = {"input_tokens": 512, "output_tokens": 0}
    return Reply({"model": model, "answers": dict(answers), "usage": usage})
