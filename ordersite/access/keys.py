"""API keys: made, found, rotated and revoked.

A key is `ordersite_<id>_<secret>`: a prefix that scanners for leaked secrets recognise, the id
under which it is listed, and 256 random bits. It is shown once; its SHA-256 is what is stored.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from types import NoneType
from typing import Any, NamedTuple

from django.db import DatabaseError, connection
from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from failed_messages.records import audit
from ordersite.access.models import ApiKey
from ordersite.access.scopes import CUSTOMERS, expanded
from runtime.mongodb_clock import about_now, mongodb_now
from runtime.stored_documents import AWARE
from runtime.transactions import in_transaction

logger = logging.getLogger(__name__)

PREFIX = "ordersite_"
_KEY = re.compile(rf"{PREFIX}(?P<id>[0-9a-f]{{16}})_[A-Za-z0-9_-]{{43}}")
_NAME = re.compile(r"key (?P<id>[0-9a-f]{16}) of ")

#: How exactly `last_used_at` is kept: a busy key is not written at each request.
LAST_USE = timedelta(minutes=5)
LIFETIME = timedelta(days=365)
OVERLAP = timedelta(hours=24)
MOST_REQUESTS_A_SECOND = 100_000
NAME = "must be 1 to 100 characters that say who holds the key"


#: By field, what it may be.
DECIDES: Mapping[str, tuple[type, ...]] = {
    "client": (str,),
    "digest": (str,),
    "scopes": (list,),
    "user_id": (int, NoneType),
    "rate": (int, NoneType),
    "expires_at": (datetime, NoneType),
    "revoked_at": (datetime, NoneType),
}
#: The same of what only tells of the key; what is something else is as if it were not there.
TELLS: Mapping[str, type] = {
    "name": str,
    "created_at": datetime,
    "created_by": str,
    "revoked_by": str,
    "last_used_at": datetime,
}


class InvalidKey(ValueError):
    """What was asked of a key cannot be; `field` is what to correct, and the text how."""

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(detail)
        self.field = field


class MadeBefore(Exception):
    """The same request has made a key, whose secret was shown then."""

    def __init__(self, id_: str) -> None:
        super().__init__(f"the key {id_} was made by this request before")
        self.id = id_


class NewKey(NamedTuple):
    """A key that was just made."""

    record: ApiKey
    #: The key itself; it cannot be found out again.
    secret: str


def create(
    name: str,
    scopes: Iterable[str],
    *,
    by: str,
    user_id: int | None,
    lifetime: timedelta | None = LIFETIME,
    rate: int | None = None,
    request: str = "",
    latest: datetime | None = None,
) -> NewKey:
    """Make a key.

    Args:
        user_id: the customer whose orders alone it is for; None for a shop, which acts for all.
        lifetime: None for a key that never expires.
        rate: requests a second; None for the default rate.
        request: identifies the request over all callers, so that it makes one key however often it
            is sent; empty for one that is sent once.
        latest: it ends by then, however long it was to live; None: it may end later.

    Raises:
        InvalidKey: an argument cannot be.
        UnknownScope: a scope is none.
        MadeBefore: the same request has made a key.
    """
    wanted = expanded(scopes)
    check(name, wanted, user_id, rate)
    now = mongodb_now()
    id_, secret = new_secret(request and f"request {request}")
    record = ApiKey(
        id=id_,
        client=id_,
        name=name,
        user_id=user_id,
        scopes=wanted,
        rate=rate,
        digest=digest(secret),
        created_at=now,
        created_by=by,
        expires_at=earlier(now + lifetime if lifetime else None, latest),
    )

    def carry_out(session: ClientSession) -> None:
        api_keys().insert_one(stored(record), session=session)
        audit.note(session, "create", audit.KEY, id_, by=by, after=shown(record))

    try:
        in_transaction(carry_out)
    except DuplicateKeyError as error:
        raise MadeBefore(id_) from error
    logger.info("%s created the API key %s of %s", by, id_, name)
    return NewKey(record, secret)


def check(name: str, wanted: list[str], user_id: int | None, rate: int | None) -> None:
    """Raises InvalidKey: one of them cannot be."""
    if not is_name(name):
        raise InvalidKey("name", NAME)
    if rate is not None and not 1 <= rate <= MOST_REQUESTS_A_SECOND:
        raise InvalidKey("rate", f"must be 1 to {MOST_REQUESTS_A_SECOND} requests a second")
    if not wanted:
        raise InvalidKey("scopes", "must be one or more")
    if user_id is not None and (denied := not_a_customers(wanted)):
        raise InvalidKey("scopes", denied)


def is_name(name: str) -> bool:
    return 1 <= len(name) <= 100 and name.isprintable()


def not_a_customers(scopes: Iterable[str]) -> str:
    """Which of them a customer cannot have, in words; empty where there is none."""
    denied = sorted(set(scopes) - CUSTOMERS)
    return f"{', '.join(denied)} cannot be a customer's" if denied else ""


def rotate(
    id_: str, *, by: str, overlap: timedelta = OVERLAP, latest: datetime | None = None
) -> NewKey:
    """Make a key that follows this one; this one ends after `overlap`.

    The new one is the same client: it lives as long as this one was to live, and what is
    remembered of the client (idempotency keys, rates) goes on. A key is rotated once: who asks a
    second time, as by a double click, would leave a key behind that nobody knows.

    Args:
        latest: the new one ends by then, however long this one was to live; None: it may end later.

    Raises:
        ApiKey.DoesNotExist: there is no such key.
        InvalidKey: it is not active any more, or was rotated before.
    """
    old = ApiKey.objects.get(pk=id_)
    if old.state != "active":
        raise InvalidKey("key", f"is {old.state}; create another one")
    if wrong := wrong_in(api_keys().find_one({"_id": id_}) or {}):
        raise InvalidKey("key", f"has no right {', '.join(wrong)}; create another one")
    now = mongodb_now()
    lifetime = old.expires_at - old.created_at if old.expires_at else None
    new_id, secret = new_secret(f"rotated {id_}")
    fields = ("client", "name", "user_id", "scopes", "rate")
    record = ApiKey(
        id=new_id,
        digest=digest(secret),
        created_at=now,
        created_by=by,
        expires_at=earlier(now + lifetime if lifetime else None, latest),
        **{name: getattr(old, name) for name in fields},
    )
    ends_at = earlier(old.expires_at, now + overlap)
    after = {"endsAt": ends_at, "newKey": new_id}

    def carry_out(session: ClientSession) -> None:
        api_keys().insert_one(stored(record), session=session)
        api_keys().update_one({"_id": id_}, {"$set": {"expires_at": ends_at}}, session=session)
        audit.note(session, "rotate", audit.KEY, id_, by=by, after=after)

    try:
        in_transaction(carry_out)
    except DuplicateKeyError as error:
        raise InvalidKey("key", f"was rotated to {new_id} before; rotate that one") from error
    logger.info("%s rotated the API key %s to %s", by, id_, new_id)
    return NewKey(record, secret)


def earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    """The earlier of two ends; None is never."""
    ends = [each for each in (one, other) if each is not None]
    return min(ends) if ends else None


def revoke(id_: str, *, by: str) -> ApiKey:
    """End a key at once; one that was revoked before stays as it is.

    Raises:
        ApiKey.DoesNotExist: there is no such key.
    """
    now = mongodb_now()
    change = {"$set": {"revoked_at": now, "revoked_by": by}}

    def carry_out(session: ClientSession) -> bool:
        active = {"_id": id_, "revoked_at": None}
        is_news = bool(api_keys().update_one(active, change, session=session).matched_count)
        if is_news:
            audit.note(session, "revoke", audit.KEY, id_, by=by)
        return is_news

    if in_transaction(carry_out):
        logger.info("%s revoked the API key %s", by, id_)
    return ApiKey.objects.get(pk=id_)


def api_keys() -> Collection[dict[str, Any]]:
    """The keys without the ORM, whose writes know nothing of a transaction's session."""
    return connection.database.get_collection(ApiKey._meta.db_table, codec_options=AWARE)


def stored(record: ApiKey) -> dict[str, Any]:
    """The key's document."""
    return {
        field.column: field.get_db_prep_save(getattr(record, field.attname), connection)
        for field in ApiKey._meta.concrete_fields
    }


def shown(record: ApiKey) -> dict[str, Any]:
    """What the audit log keeps of a new key: all but what would let somebody use it."""
    return {
        "name": record.name,
        "userId": record.user_id,
        "scopes": record.scopes,
        "requestsPerSecond": record.rate,
        "expiresAt": record.expires_at,
    }


def name_of(record: ApiKey) -> str:
    """What the audit log calls whoever acts with the key."""
    return f"key {record.id} of {record.name}"


def id_in(name: str) -> str:
    """The id of the key that the audit log calls so; empty where no key has it."""
    match = _NAME.match(name)
    return match["id"] if match else ""


def is_name_of_key(name: str) -> bool:
    """Whether the audit log calls a key so. It can be passed on, so nobody knows who holds it."""
    return bool(id_in(name))


def holders(name: str) -> list[str]:
    """Who made the key that has this name, or one that it was rotated from or to: they were shown
    its secret. Nobody where no key has the name.
    """
    if not (id_ := id_in(name)):
        return []
    [client] = ApiKey.objects.filter(pk=id_).values_list("client", flat=True) or [""]
    return list(ApiKey.objects.filter(client=client).values_list("created_by", flat=True))


def find(key: str) -> ApiKey | None:
    """The record of this key, whatever its state; None where there is no such key.

    Read without the ORM, which takes a value of another type for null: another program's key of a
    customer would be a shop's then, and one that was to end would never.
    """
    match = _KEY.fullmatch(key)
    document = api_keys().find_one({"_id": match["id"]}) if match else None
    if document is None:
        return None
    if wrong := wrong_in(document):
        logger.error(
            "The API key %s is not taken: its document in MongoDB has no right %s. Revoke it, and "
            "make another one.",
            document["_id"],
            ", ".join(wrong),
        )
        return None
    if not hmac.compare_digest(document["digest"].encode(), digest(key).encode()):
        return None
    decides = {name: document[name] for name in DECIDES}
    # PyMongo's Int64 is a number that not every encoder knows.
    read = {name: int(document[name]) for name in ("user_id", "rate") if document[name]}
    told = {
        name: document[name] for name, kind in TELLS.items() if _is(document.get(name), (kind,))
    }
    return ApiKey(id=document["_id"], **decides | read | told)


def wrong_in(document: Mapping[str, Any]) -> list[str]:
    """The fields that decide what a key may do, and are not as this site writes them."""
    wrong = [name for name, kinds in DECIDES.items() if not _is(document.get(name, False), kinds)]
    if "scopes" not in wrong and not all(isinstance(each, str) for each in document["scopes"]):
        wrong.append("scopes")
    return wrong


def _is(value: object, kinds: tuple[type, ...]) -> bool:
    """True and False are numbers to Python."""
    return isinstance(value, kinds) and not isinstance(value, bool)


def note_use(record: ApiKey) -> None:
    """Keep when the key was last used, unless that is known to some minutes."""
    now = about_now()
    # One of the future is of a clock that was ahead.
    if record.last_used_at and abs(now - record.last_used_at) < LAST_USE:
        return
    try:
        ApiKey.objects.filter(pk=record.pk).update(last_used_at=now)
    except DatabaseError as error:
        logger.warning("The last use of the API key %s was not noted: %s", record.pk, error)


def new_secret(of: str = "") -> tuple[str, str]:
    """The id and the whole of a new key; of one thing there is one id, if it is named."""
    id_ = digest(of)[:16] if of else secrets.token_hex(8)
    return id_, f"{PREFIX}{id_}_{secrets.token_urlsafe(32)}"


def digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
