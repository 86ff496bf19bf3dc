"""Ask a model, read what it says, and ask once more when it said nothing."""

from time import perf_counter

import msgspec

from app.core.errors import BrainFailed, Unreadable
from app.decide.surety import surety
from app.models.case import Case
from app.models.choice import Call, Choice, Option, shown_to
from app.models.dialogue import Answer, Prompt, Reading, Turn
from app.models.menu import Menu
from app.models.record import clean
from app.ports import Dialogue, Voice

TRIES = 2
RAW_CHARS = 8_000
ECHO_CHARS = 600
# An answer may have a hundred thousand arguments that nobody wants.
MOST_REPAIRS = 20


async def converse(
    dialogue: Dialogue, voice: Voice, case: Case, menu: Menu
) -> Choice:
    """Return what a model chose, asked twice at most.

    Raises:
        BrainFailed: it cannot be reached, or makes no sense.
    """
    prompt = dialogue.compose(case, menu, voice.room)
    turns = [Turn("system", prompt.system), Turn("user", prompt.user)]
    calls: list[Call] = []
    for _ in range(TRIES):
        try:
            answer, call = await _ask(voice, prompt, turns)
        except BrainFailed as error:
            error.earlier = tuple(calls)
            raise
        try:
            reading = _read(dialogue, answer, menu)
        except Unreadable as error:
            said = f"unreadable: {error}"
            calls.append(msgspec.structs.replace(call, error=said))
            turns += _complaint(dialogue, answer, error)
            continue
        repairs = _shorten((*call.repairs, *reading.repairs))
        calls.append(msgspec.structs.replace(call, repairs=repairs))
        return _choose(voice, answer, reading, menu, tuple(calls))
    *earlier, last = calls
    failure = BrainFailed(
        f"{voice.model} gave no usable answer in {TRIES} tries, the last was"
        f" {last.error}",
        remedy="Try a larger model, or the other mode of asking.",
        call=last,
    )
    failure.earlier = tuple(earlier)
    raise failure


async def _ask(
    voice: Voice, prompt: Prompt, turns: list[Turn]
) -> tuple[Answer, Call]:
    """Return an answer and the record of it, or raise BrainFailed."""
    began = perf_counter()
    try:
        answer = _plain(await voice.say(prompt, turns))
    except BrainFailed as error:
        error.call = Call(
            brain=voice.name,
            model=voice.model,
            prompt_hash=prompt.digest,
            asked=shown_to(turns),
            milliseconds={"total": _since(began)},
            notes=prompt.notes,
            error=str(error),
        )
        raise
    raw = answer.text
    if answer.called is not None:
        raw = msgspec.json.encode(answer.called, enc_hook=str).decode()
    return answer, Call(
        brain=voice.name,
        model=answer.model,
        model_digest=answer.digest,
        prompt_hash=prompt.digest,
        asked=shown_to(turns),
        tokens_in=answer.tokens_in,
        tokens_out=answer.tokens_out,
        milliseconds={**answer.milliseconds, "total": _since(began)},
        raw=raw[:RAW_CHARS],
        repairs=answer.repairs,
        notes=prompt.notes,
    )


def _plain(answer: Answer) -> Answer:
    """Return an answer that can be shown again, sent and kept.

    Half of a surrogate pair can be none of these, and neither can what is
    nested without end: that is no call.
    """
    called, repairs = answer.called, answer.repairs
    try:
        called = called and (clean(called[0]), clean(called[1]))
    except RecursionError:
        called, repairs = None, (*repairs, "a call nested too deep")
    return msgspec.structs.replace(
        answer, text=clean(answer.text), called=called, repairs=repairs
    )


def _shorten(repairs: tuple[str, ...]) -> tuple[str, ...]:
    """Return what was mended, and how much more there was."""
    more = len(repairs) - MOST_REPAIRS
    if more <= 0:
        return repairs
    return (*repairs[:MOST_REPAIRS], f"{more} more")


def _since(began: float) -> float:
    """Return how many milliseconds went by."""
    return round(1000 * (perf_counter() - began), 3)


def _read(dialogue: Dialogue, answer: Answer, menu: Menu) -> Reading:
    """Return what an answer says, in whichever way it came."""
    if answer.called is not None:
        return dialogue.read_call(*answer.called, menu)
    return dialogue.read(answer.text, menu)


def _complaint(
    dialogue: Dialogue, answer: Answer, error: Unreadable
) -> list[Turn]:
    """Return the two turns that show a model its mistake."""
    said = answer.text or str(answer.called or "(nothing)")
    return [
        Turn("assistant", said[:ECHO_CHARS].replace("<|", "< |")),
        Turn("user", dialogue.complain(error)),
    ]


def _choose(
    voice: Voice,
    answer: Answer,
    reading: Reading,
    menu: Menu,
    calls: tuple[Call, ...],
) -> Choice:
    """Return the choice that a reading is."""
    raw = surety(answer.pieces, reading, menu)
    known = None if raw is None else voice.calibrate(answer, raw)
    return Choice(
        action=reading.action,
        arguments=reading.arguments,
        reason=reading.reason or f"{voice.model} gave no reason.",
        confidence=None if known is None else known.confidence,
        options=(Option(reading.action, reading.arguments, raw),),
        calls=(*calls[:-1], calls[-1].sured(raw, known)),
    )
