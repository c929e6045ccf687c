"""django-mongodb-backend: its queries use MongoDB's indexes, and read whatever is stored.

Three of its kinds of query miss the indexes; each is corrected here, results unchanged:

- A unique index is partial on its columns' `$type`, so only a lookup that states the type can
  use it. https://www.mongodb.com/docs/manual/core/index-partial/#query-coverage
- `order_by()` re-computes the ordered columns before `$sort`, and a computed value has no index.
- `defer()` and `only()` fetch the whole document anyway.

tests/ordersite/test_mongodb_indexes.py asks MongoDB's query planner whether each correction still
works, and is still needed.

And it converts values as it reads rows. Other programs and earlier releases write to the same
collections, and MongoDB takes any type: one value that cannot be converted would answer 500 for
every document. It is read as null, and logged once.

And it says of no model which indexes it makes: the maker of `migrate` notes them here, so that the
doctor misses what is not there.

And its migrations cannot be run a second time, though MongoDB keeps the first half of one: a
`migrate` that was ended would fail for ever, as a collection is there or an index is gone.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from decimal import Decimal
from functools import cache, wraps
from typing import Any

from django.db import connection, models
from django.db.models import Field, UniqueConstraint
from django.db.models.expressions import Col
from django.db.models.fields.related_lookups import RelatedIn
from django.db.models.lookups import Exact, In
from django.db.models.sql.compiler import SQLCompiler as DjangoCompiler
from django_mongodb_backend.compiler import SQLCompiler
from django_mongodb_backend.fields import EmbeddedModelField
from django_mongodb_backend.query import MongoQuery
from django_mongodb_backend.schema import DatabaseSchemaEditor
from pymongo import IndexModel
from pymongo.errors import CollectionInvalid, OperationFailure

from ordersite.patches import BACKEND
from ordersite.unreadable_cells import report

#: What Django's code expects of fields which the backend reads as they are, or item by item.
TYPES: dict[type[models.Field], type] = {
    models.BooleanField: bool,
    models.CharField: str,
    models.TextField: str,
    EmbeddedModelField: models.Model,
}

#: Types for which equality implies the type. Numbers are left out: 5 equals 5.0, a long a double.
TYPES_WITHOUT_COUSINS = {"string", "objectId"}

#: MongoDB's code for an index that is not there.
INDEX_NOT_FOUND = 27


def apply() -> None:
    """Correct the backend, for this process; one that was not tried stays as it is."""
    BACKEND.warn()
    if not BACKEND.is_installed:
        return
    for lookup in (Exact, In, RelatedIn):
        lookup.as_mql_path = _stating_the_type(lookup.as_mql_path)
    SQLCompiler.build_query = _without_deferred_columns(SQLCompiler.build_query)
    MongoQuery.get_pipeline = _sorting_stored_columns_first(MongoQuery.get_pipeline)
    SQLCompiler.get_converters = _lenient(SQLCompiler.get_converters)
    DatabaseSchemaEditor.get_database = _without_what_is_there(DatabaseSchemaEditor.get_database)
    DatabaseSchemaEditor.remove_index = _if_it_is_there(DatabaseSchemaEditor.remove_index)


# --- Indexes ----------------------------------------------------------------------------------


def _stating_the_type(as_mql_path: Any) -> Any:
    """`{"number": "A"}` becomes `{"number": {"$eq": "A", "$type": "string"}}` where unique."""

    @wraps(as_mql_path)
    def stating_the_type(lookup: Any, compiler: Any, connection: Any) -> Any:
        mql = as_mql_path(lookup, compiler, connection)
        if not isinstance(lookup.lhs, Col) or not _is_unique(lookup.lhs.target):
            return mql
        bson_type = lookup.lhs.target.db_type(connection)
        if bson_type not in TYPES_WITHOUT_COUSINS:
            return mql
        [(path, condition)] = mql.items()
        if not isinstance(condition, dict):
            condition = {"$eq": condition}
        return {path: {**condition, "$type": bson_type}}

    return stating_the_type


@cache
def _is_unique(field: Field) -> bool:
    """Whether one of its model's unique indexes holds the column; `_id`'s is not partial."""
    if field.primary_key or not hasattr(field, "model"):
        return False
    meta = field.model._meta
    constraints = (each for each in meta.constraints if isinstance(each, UniqueConstraint))
    together = (*meta.unique_together, *(constraint.fields for constraint in constraints))
    return field.unique or any(field.name in names for names in together)


def _sorting_stored_columns_first(get_pipeline: Any) -> Any:
    """`$match, $sort, $skip, $limit, $project` where the order is by the collection's columns."""

    @wraps(get_pipeline)
    def sorting_stored_columns_first(query: MongoQuery) -> Any:
        if not _orders_by_stored_columns(query):
            return get_pipeline(query)
        bare = copy.copy(query)
        # These only name the ordered columns again, so that `$sort` finds them after `$project`.
        bare.project_fields = bare.extra_fields = None
        project = [{"$project": query.project_fields}] if query.project_fields else []
        return get_pipeline(bare) + project

    return sorting_stored_columns_first


def _orders_by_stored_columns(query: MongoQuery) -> bool:
    has_extras = (
        query.aggregation_pipeline
        or query.combinator_pipeline
        or query.lookup_pipeline
        or query.search_pipeline
        or query.subqueries
        or query.subquery_lookup
    )
    orders = query.compiler.order_by_objs
    return bool(query.ordering and orders and not has_extras) and all(
        isinstance(order.expression, Col)
        and order.expression.alias == query.compiler.collection_name
        # "Nulls last" is a computed column, as MongoDB knows no such order.
        and not (order.nulls_first or order.nulls_last)
        for order in orders
    )


def _without_deferred_columns(build_query: Any) -> Any:
    """Fetch the columns that the QuerySet asks for, rather than the document."""

    @wraps(build_query)
    def without_deferred_columns(compiler: DjangoCompiler, columns: Any = None) -> MongoQuery:
        if columns is None and compiler.query.default_cols and compiler.query.get_select_mask():
            columns = compiler.columns
        return build_query(compiler, columns)

    return without_deferred_columns


# --- Stored values ----------------------------------------------------------------------------


def _lenient(get_converters: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(get_converters)
    def lenient(compiler: Any, expressions: Sequence[Any]) -> Any:
        converters = get_converters(compiler, expressions)
        unconverted = [each for each in enumerate(expressions) if each[0] not in converters]
        checked: dict[int, tuple[list[Any], Any]] = {
            index: ([], each) for index, each in unconverted if _is_checked(each)
        }
        return {
            index: ([_converting(steps)], expression)
            for index, (steps, expression) in (converters | checked).items()
        }

    return lenient


def _converting(steps: list[Callable[..., Any]]) -> Callable[..., Any]:
    def convert(value: Any, expression: Any, connection: Any) -> Any:
        stored = value
        try:
            for step in steps:
                value = step(value, expression, connection)
            return value if value is None else _checked(value, expression)
        except Exception as error:
            # An annotation has no column, and is the query's own affair.
            if (field := getattr(expression, "target", None)) is None:
                raise
            kind = type(stored).__name__
            report(str(field), kind, f"{kind}: {error}")
            return None

    return convert


def _is_checked(expression: Any) -> bool:
    """Whether it is a column that the backend does not convert, and Django expects a type of."""
    field: Any = getattr(expression, "target", None)
    return bool(field) and not field.primary_key and isinstance(field, tuple(TYPES))


def _checked(value: Any, expression: Any) -> Any:
    """The value as it is shown. Raises TypeError, ValueError: its field cannot have it."""
    if isinstance(value, Decimal) and not value.is_finite():
        raise ValueError(f"{value} is not an amount")
    for kind, type_ in TYPES.items():
        if isinstance(getattr(expression, "target", None), kind) and not isinstance(value, type_):
            raise TypeError(f"{str(value)[:40]!r} is not of the type {type_.__name__}")
    # There is no amount `-0.00`.
    return abs(value) if isinstance(value, Decimal) and not value else value


# --- Declared indexes ---------------------------------------------------------------------------


def indexes_of(of_models: Iterable[type[models.Model]]) -> list[tuple[str, IndexModel]]:
    """What `migrate` makes for these models, each with its collection.

    None with a release that was not tried: its maker might make them, in place of naming them.
    """
    if not BACKEND.is_installed:
        return []
    noting = _NotingEditor(connection)
    for model in of_models:
        noting.create_model(model)
    return noting.noted


class _NotingEditor(DatabaseSchemaEditor):
    """Django's maker of collections and indexes, which notes the indexes and makes nothing."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.noted: list[tuple[str, IndexModel]] = []

    def get_database(self) -> Any:
        return _NoDatabase()

    def get_collection(self, name: str) -> Any:
        return _NotedCollection(name, self.noted)


class _NoDatabase:
    def create_collection(self, name: str) -> None:
        """Nothing is made."""


class _NotedCollection:
    def __init__(self, name: str, noted: list[tuple[str, IndexModel]]) -> None:
        self._name, self._noted = name, noted

    def create_indexes(self, indexes: list[IndexModel]) -> None:
        self._noted += [(self._name, each) for each in indexes]


# --- Migrations that were ended -----------------------------------------------------------------


class _Database:
    """Makes a collection that is not there yet; its indexes are made either way."""

    def __init__(self, database: Any) -> None:
        self._database = database

    def create_collection(self, name: str) -> None:
        with suppress(CollectionInvalid):
            self._database.create_collection(name)


def _without_what_is_there(get_database: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(get_database)
    def without_what_is_there(editor: DatabaseSchemaEditor) -> Any:
        return _Database(get_database(editor))

    return without_what_is_there


def _if_it_is_there(remove_index: Callable[..., None]) -> Callable[..., None]:
    @wraps(remove_index)
    def if_it_is_there(editor: DatabaseSchemaEditor, model: Any, index: Any) -> None:
        try:
            remove_index(editor, model, index)
        except OperationFailure as error:
            if error.code != INDEX_NOT_FOUND:
                raise

    return if_it_is_there
