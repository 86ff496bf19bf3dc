"""One of many values: a condition whose statement is always the same.

A list of parameters makes a new statement for each length, which costs more
than most of them take to run. Here all values are one parameter, so that a
statement is made once, when its module is loaded.
"""

from collections.abc import Collection, Mapping
from typing import Any, Self

import msgspec
from sqlalchemy import (
    BigInteger,
    Boolean,
    Dialect,
    Text,
    TypeDecorator,
    bindparam,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine

_encode = msgspec.json.Encoder().encode


class _Several(TypeDecorator[Any]):
    """Values of one type: an array, and JSON where there are none."""

    impl = Text
    cache_ok = True
    of: type[TypeEngine[Any]] = Text

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return what a database takes."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(ARRAY(self.of))
        return dialect.type_descriptor(Text())

    def process_bind_param(
        self, value: Collection[Any] | None, dialect: Dialect
    ) -> Any:
        """Return values as what a database takes, in ascending order."""
        values = sorted(value or ())
        if dialect.name == "postgresql":
            return values
        return _encode(values).decode()


class _Numbers(_Several):
    """Whole numbers."""

    cache_ok = True
    of = BigInteger


class _Texts(_Several):
    """Texts."""

    cache_ok = True


# How SQLite reads a list that is one parameter.
LISTED = "SELECT value FROM json_each({})"


class _Among(FunctionElement[bool]):
    """A column, and the values of which it must have one."""

    name = "among"
    inherit_cache = True
    type = Boolean()

    def self_group(self, against: Any = None) -> Self:
        """Return it as it is: with ``= 1`` no index would be used."""
        del against
        return self


def among(column: Any, name: str) -> FunctionElement[bool]:
    """Return the condition that a column has one of many values.

    Args:
        column: the column, of whole numbers or of texts.
        name: the parameter that takes a collection of values.
    """
    is_text = isinstance(column.type, Text)
    kind = _Texts() if is_text else _Numbers()
    return _Among(column, bindparam(name, type_=kind))


def _sides(
    condition: _Among, compiler: SQLCompiler, options: Mapping[str, Any]
) -> tuple[str, str]:
    """Return the column and the values as a statement has them."""
    column, values = condition.clauses
    return (
        compiler.process(column, **options),
        compiler.process(values, **options),
    )


@compiles(_Among, "sqlite")
def _write_for_sqlite(
    condition: _Among, compiler: SQLCompiler, **options: Any
) -> str:
    """Return the condition as SQLite reads it."""
    left, right = _sides(condition, compiler, options)
    return f"{left} IN ({LISTED.format(right)})"


@compiles(_Among, "postgresql")
def _write_for_postgresql(
    condition: _Among, compiler: SQLCompiler, **options: Any
) -> str:
    """Return the condition as PostgreSQL reads it."""
    left, right = _sides(condition, compiler, options)
    return f"{left} = ANY ({right})"
