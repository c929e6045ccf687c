"""The least that each process needs in MongoDB, by the collections of the apps.

https://www.mongodb.com/docs/manual/reference/privilege-actions/
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from django.apps import apps
from django_mongodb_backend.models import EmbeddedModel

from failed_messages.models import AuditEntry
from messaging.service import resting, services
from messaging.trust.users import user_of
from runtime import presence

Actions = frozenset[str]
Collections = Mapping[str, Actions]

READ: Actions = frozenset({"find"})
#: What is noted there is never changed, and never deleted.
ADD: Actions = READ | {"insert"}
WRITE: Actions = ADD | {"update", "remove"}
REMOVE: Actions = frozenset({"remove"})
#: It changes what others put there.
CHANGE: Actions = READ | {"update"}
#: MongoDB tells of what is written there.
HEAR: Actions = frozenset({"changeStream"})
#: Of every collection, those to come among them: what migrations and the doctor do.
MAINTAIN: Actions = ADD | {
    *("createCollection", "createIndex", "dropCollection", "dropIndex", "collMod"),
    *("listCollections", "listIndexes", "collStats", "dbStats", "validate"),
}
#: Django asks which collections there are.
LIST: Actions = frozenset({"listCollections"})

#: Stands for the database, and for every collection of it.
EVERYTHING = ""
LEASE, HEARTBEAT, BEGUN_RUNS = "relay_lease", "scheduler_heartbeat", "begun_runs"
PROCESSES = presence.COLLECTION
RETRY_NOTES, SNAPSHOT, BUCKETS = "retry_notes", "pipeline_snapshot", "pipeline_buckets"
#: No model has them.
OTHERS = (LEASE, HEARTBEAT, BEGUN_RUNS, RETRY_NOTES, PROCESSES, SNAPSHOT, BUCKETS, "demo_data")
MIGRATIONS = "django_migrations"
DESK = "failed_messages"
#: What the scheduler's jobs need of what is the staff's: erasing a person's data changes or deletes
#: it, the doctor tries to read the second factors' secrets. It may let nobody in: it sends alerts
#: to hosts that others control.
FOR_JOBS: Collections = {
    "api_keys": CHANGE,
    "django_admin_log": CHANGE,
    "django_content_type": READ,
    "django_session": REMOVE,
    "erasures": WRITE,
    "keyed_requests": READ | REMOVE,
    "simulated_faults": READ | REMOVE,
    "staff_second_factors": READ,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """Of one user."""

    #: What may be done with each collection of our database.
    collections: Collections = field(default_factory=dict)
    #: Whether it may ask how MongoDB itself is.
    monitors: bool = False


def declared() -> dict[str, Rights]:
    """What each of our users is to have, by the user's name."""
    return {user_of(process): rights for process, rights in of_processes().items()}


def of_processes() -> dict[str, Rights]:
    """By the kind of process."""
    own = {name: of_app(name) for name in services()}
    all_services = [each for collections in own.values() for each in collections]
    keeper = next(name for name, each in services().items() if each.keeps_ledger)
    staff = [each for each in of_all_apps() if each not in all_services]
    audit = {AuditEntry._meta.db_table: ADD}
    desk = may(WRITE, of_app(DESK)) | audit
    others = [each for name, each in own.items() if name != keeper]
    work = [each for collections in others for each in collections]
    # Its jobs delete and erase what is left of a service that does not run any more.
    at_rest = [each for name in resting() for each in of_app(name)]
    invoices = may(READ, own.get("billing", []))
    return {
        "web": rights(
            may(READ, all_services),
            may(WRITE, [*own[keeper], *work, *staff, *OTHERS]),
            invoices,
            desk,
        ),
        "relay": rights(may(WRITE | HEAR, own[keeper]), may(WRITE, [LEASE, PROCESSES])),
        **{
            # What its messages say is compared with what the others stored.
            name: rights(
                may(READ, [*all_services, *of_app("simulated_faults")]),
                may(WRITE, [*own[name], BEGUN_RUNS, RETRY_NOTES, PROCESSES]),
            )
            for name in services()
        },
        **{
            name: rights(may(CHANGE, changed), may(WRITE, [PROCESSES]))
            for service in services().values()
            for name, changed in service.beside.items()
        },
        "archiver": rights(may(READ, own[keeper]), may(WRITE, [PROCESSES]), desk),
        "scheduler": rights(
            may(WRITE, [*own[keeper], *work, *OTHERS, *at_rest]),
            FOR_JOBS,
            invoices,
            desk,
        ),
        "operator": rights(
            {EVERYTHING: MAINTAIN},
            may(WRITE, [*of_all_apps(), *OTHERS, MIGRATIONS]),
            audit,
            monitors=True,
        ),
    }


def rights(*collections: Collections, monitors: bool = False) -> Rights:
    """Those of each, the later ones standing over the earlier; all read the migrations."""
    granted: dict[str, Actions] = {EVERYTHING: LIST, MIGRATIONS: READ}
    for each in collections:
        granted |= each
    return Rights(collections=granted, monitors=monitors)


def may(actions: Actions, collections: Iterable[str]) -> dict[str, Actions]:
    return dict.fromkeys(collections, actions)


def of_app(label: str) -> list[str]:
    """The collections of the app's models; none where it is not installed."""
    if label not in apps.app_configs:
        return []
    models = apps.get_app_config(label).get_models(include_auto_created=True)
    return [model._meta.db_table for model in models if not issubclass(model, EmbeddedModel)]


def of_all_apps() -> list[str]:
    return [each for label in apps.app_configs for each in of_app(label)]
