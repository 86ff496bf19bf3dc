"""The tables of step 2: what was decided, and what is set at run time.

As in app/models/tables.py, from which these are parted by size only.
"""

from sqlalchemy import BigInteger, Column, Double, Index, Integer, Text, text
from sqlmodel import Field, SQLModel

from app.models.tables import Id

# As the databases hold it; the statements in app/store say the same words,
# since only then is a partial index used.
DID_NOT_HELP = "verdict = 'not_fixed'"
IS_JUDGED = "verdict <> ''"


class DecisionRow(SQLModel, table=True):
    """One decision with all that it rests on; nothing has run for it."""

    __tablename__ = "decision"
    __table_args__ = (
        Index("decision_incident", "incident_id", "id"),
        Index("decision_target", "target", "id"),
        Index(
            "decision_judged",
            "problem",
            "id",
            sqlite_where=text(IS_JUDGED),
            postgresql_where=text(IS_JUDGED),
        ),
        Index("decision_at", "at"),
        Index(
            "decision_failed",
            "target",
            "at",
            sqlite_where=text(DID_NOT_HELP),
            postgresql_where=text(DID_NOT_HELP),
        ),
    )

    id: int = Field(sa_column=Column(Id, primary_key=True))
    incident_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    at: int = Field(sa_column=Column(BigInteger, nullable=False))
    # What it was made for: the key of the target, the class of the worst
    # problem, every class that went on (as JSON), how bad it was, and the
    # last entry of the log then. What differs from these is news.
    target: str = Field(sa_column=Column(Text, nullable=False))
    problem: str = Field(sa_column=Column(Text, nullable=False))
    problems: str = Field(sa_column=Column(Text, nullable=False))
    severity: str = Field(sa_column=Column(Text, nullable=False))
    seq: int = Field(sa_column=Column(BigInteger, nullable=False))
    action: str = Field(sa_column=Column(Text, nullable=False))
    # As JSON.
    arguments: str = Field(sa_column=Column(Text, nullable=False))
    reason: str = Field(sa_column=Column(Text, nullable=False))
    confidence: float | None = Field(sa_column=Column(Double))
    asks: int = Field(sa_column=Column(Integer, nullable=False))
    why: str = Field(sa_column=Column(Text, nullable=False))
    brain: str = Field(sa_column=Column(Text, nullable=False))
    # app/models/case.py, as JSON; and the hashes of all that it rests on.
    casefile: str = Field(sa_column=Column(Text, nullable=False))
    case_digest: str = Field(sa_column=Column(Text, nullable=False))
    menu_digest: str = Field(sa_column=Column(Text, nullable=False))
    catalogue_digest: str = Field(sa_column=Column(Text, nullable=False))
    settings_digest: str = Field(sa_column=Column(Text, nullable=False))
    # Options, grounding, calls and menu, as JSON.
    record: str = Field(sa_column=Column(Text, nullable=False))
    # A shadow decides beside another decision, and whether it says the same.
    is_shadow: int = Field(sa_column=Column(Integer, nullable=False))
    beside: int = Field(sa_column=Column(BigInteger, nullable=False))
    agrees: int | None = Field(sa_column=Column(Integer))
    tokens: int = Field(sa_column=Column(BigInteger, nullable=False))
    # How often a brain was asked for it: 0 when an answer was shared.
    calls: int = Field(sa_column=Column(Integer, nullable=False))
    milliseconds: float = Field(sa_column=Column(Double, nullable=False))
    # fixed, not_fixed or unknown; empty while nothing has run.
    verdict: str = Field(sa_column=Column(Text, nullable=False))
    # What happened to the incident meanwhile, or empty.
    note: str = Field(sa_column=Column(Text, nullable=False))


class ReinRow(SQLModel, table=True):
    """What is set at run time, over the settings; one row at most."""

    __tablename__ = "rein"

    id: int = Field(sa_column=Column(Integer, primary_key=True))
    version: int = Field(sa_column=Column(Integer, nullable=False))
    # What differs from the settings, as JSON.
    body: str = Field(sa_column=Column(Text, nullable=False))
    changed_at: int = Field(sa_column=Column(BigInteger, nullable=False))
    changed_by: str = Field(sa_column=Column(Text, nullable=False))


class CharterRow(SQLModel, table=True):
    """What a file that rules said when a node last started with it."""

    __tablename__ = "charter"

    name: str = Field(sa_column=Column(Text, primary_key=True))
    version: str = Field(sa_column=Column(Text, nullable=False))
    # All that it means, without secrets: see app/models/charter.py.
    text: str = Field(sa_column=Column(Text, nullable=False))
    at: int = Field(sa_column=Column(BigInteger, nullable=False))
    node: str = Field(sa_column=Column(Text, nullable=False))
