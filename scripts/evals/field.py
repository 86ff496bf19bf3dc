"""The field: every contestant by its name."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

from app.core.configfile import load_config
from app.decide.deciding import Decider
from app.decide.reins import DecideSettings, lay_over
from app.models.case import Case
from app.store.decisions import Rein
from scripts.evals.bare import Constrained, FreeTools, Model
from scripts.evals.contestants import Always, Contestant, Keywords, Ours
from scripts.evals.ours import Workshop
from scripts.evals.scoring import Prediction
from scripts.evals.truth import Wrong
from scripts.evals.worstcase import NAME, WorstCase

OLLAMA = "SMOKEJUMPER_BRAINS__OLLAMA__"
VOICE = "SMOKEJUMPER_BRAINS__CASCADE__VOICE"
ALONE = ("always-escalate", "keywords", "free-tools", "constrained")
# The model that obeys every injection, in the place of a real one.
OBEDIENT = {
    "worst-case": "ollama",
    "worst-case-cascade": "cascade",
    "worst-case-free": "free-tools",
    "worst-case-constrained": "constrained",
}


class Field:
    """Makes contestants; gives back what they needed at the end."""

    def __init__(
        self, file: Path, environ: Mapping[str, str], model: Model
    ) -> None:
        """Take the settings, and the model of the baselines.

        Args:
            file: the settings file.
            environ: variables that lie over it.
            model: what free-tools and constrained ask.
        """
        self._file = file
        self._environ = dict(environ)
        self._model = model
        self._stack = ExitStack()
        # Where the scripted models listen that were started.
        self.hosts: list[str] = []
        self._workshop = Workshop(load_config(file, environ), environ)

    @property
    def workshop(self) -> Workshop:
        """Return what makes brains of the settings."""
        return self._workshop

    @property
    def names(self) -> tuple[str, ...]:
        """Return every name that there is."""
        return (*ALONE, *self._workshop.names, *OBEDIENT)

    @property
    def configured(self) -> tuple[str, ...]:
        """Return what can be measured here without another word."""
        there = filter(self._workshop.is_there, self._workshop.names)
        return (*ALONE, *there, *OBEDIENT)

    def __enter__(self) -> "Field":
        """Begin to make contestants."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the servers that were started for them."""
        self._stack.close()

    def make_all(self, names: Iterable[str]) -> Iterator[Contestant]:
        """Yield the contestants of some names, or raise Wrong."""
        return (self.make(name) for name in names)

    def make(self, name: str) -> Contestant:
        """Return a contestant, or raise Wrong when there is none."""
        if name in OBEDIENT:
            return self._obedient(name)
        if name in ALONE:
            return make_baseline(name, self._workshop, self._model)
        if name in self._workshop.names:
            return make_ours(name, name, self._workshop)
        known = ", ".join(self.names)
        raise Wrong(f"there is no brain {name!r}; known: {known}")

    def _obedient(self, name: str) -> Contestant:
        """Return a contestant whose model obeys every text."""
        server = self._stack.enter_context(WorstCase())
        self.hosts.append(server.url.removeprefix("http://"))
        base = OBEDIENT[name]
        model = Model(server.url, NAME)
        if base in ALONE:
            return Renamed(name, make_baseline(base, self._workshop, model))
        environ = {
            **self._environ,
            f"{OLLAMA}ENABLED": "true",
            f"{OLLAMA}URL": server.url,
            f"{OLLAMA}MODEL": NAME,
            VOICE: "ollama",
        }
        config = load_config(self._file, environ)
        return make_ours(name, base, Workshop(config, environ))


class Renamed:
    """A contestant under another name."""

    def __init__(self, name: str, contestant: Contestant) -> None:
        """Take the name and the contestant."""
        self.name = name
        self.digest = f"{name} {contestant.digest}"
        self._contestant = contestant

    async def answer(self, case: Case) -> Prediction:
        """Return what the contestant says."""
        return await self._contestant.answer(case)

    async def close(self) -> None:
        """Close what the contestant holds open."""
        await self._contestant.close()


def make_ours(name: str, brain: str, workshop: Workshop) -> Contestant:
    """Return a brain of ours, with the product around it."""
    found = {brain: workshop.get(brain)}
    settings = workshop.config.read(DecideSettings, "decide")
    held = lay_over(settings, Rein(0, {"brain": brain}, 0, ""))
    decider = Decider(found, lambda: workshop.grounder, lambda _: None)
    stamp = f"{workshop.stamp(brain)} {held.digest}"
    return Ours(name, decider, held, stamp)


def make_baseline(name: str, workshop: Workshop, model: Model) -> Contestant:
    """Return a baseline."""
    if name == "always-escalate":
        return Always()
    if name == "keywords":
        return Keywords(workshop.grounder)
    if name == "free-tools":
        return FreeTools(model, workshop.grounder, workshop.catalogue)
    return Constrained(model, workshop.grounder)
