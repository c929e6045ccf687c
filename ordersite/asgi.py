"""What the web server runs: orders by the fast path, and everything else as Django does it."""

import asyncio
import os
import sys
from threading import Thread

import django
from django.conf import settings
from django.urls import get_resolver

os.environ["DJANGO_SETTINGS_MODULE"] = "ordersite.settings"

# The apps' modules can only be imported after it.
django.setup(set_prefix=False)

from orders.views import OrdersView  # noqa: E402
from ordersite import wsgi  # noqa: E402
from ordersite.web import fast_path, rates  # noqa: E402
from ordersite.web.body import Event, Receive  # noqa: E402
from ordersite.web.cross_origin import CrossOrigin, answer_preflight, is_preflight  # noqa: E402
from ordersite.web.in_threads import InThreads, Send, send_problem  # noqa: E402
from ordersite.web.request_scope import identify  # noqa: E402
from ordersite.web.traced_requests import Traced  # noqa: E402
from runtime import heartbeat_file, presence  # noqa: E402
from runtime.garbage_collector import tune_garbage_collector  # noqa: E402
from runtime.metrics import serving  # noqa: E402
from runtime.requests.header_lines import joined  # noqa: E402
from runtime.stopping import StopRequest  # noqa: E402
from runtime.tracing import spans  # noqa: E402
from runtime.waiting import wait_for_database  # noqa: E402

#: A tenth of Python's own.
SWITCH_SECONDS = 0.0005
PREFIX = settings.FORCE_SCRIPT_NAME or ""

site = InThreads(wsgi.application)


def routed(
    place_order: fast_path.Site,
    counted: rates.Rates | None = None,
    cross_origin: CrossOrigin | None = None,
) -> fast_path.Site:
    """The application in which `place_order` answers `POST /orders`.

    Args:
        counted: how often a client may come; as the settings say where it is None.
        cross_origin: which pages of other sites may come; as the settings say where it is None.
    """
    cross_origin = cross_origin or CrossOrigin(settings.CORS_ALLOWED_ORIGINS)
    counted = counted or rates.Rates(
        settings.ADDRESS_REQUESTS_PER_SECOND, settings.CLIENT_REQUESTS_PER_SECOND
    )

    async def application(scope: Event, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await live(receive, send)
            return
        scope["headers"] = joined(scope["headers"])
        identify(scope)
        if PREFIX and f"{scope['path']}/".startswith(f"{PREFIX}/"):
            # A proxy may have left it, or taken it off. Alone it is the site's own address.
            scope = {**scope, "path": scope["path"].removeprefix(PREFIX) or "/"}
        is_admitted = cross_origin.admits(scope)
        try:
            counted.take(scope)
        except rates.TooSoon as too_soon:
            await send_problem(scope, send, rates.refused(too_soon))
            return
        if is_admitted and is_preflight(scope):
            await answer_preflight(scope, send)
            return
        if scope["path"] == fast_path.PATH and scope["method"] == "POST":
            await place_order(scope, receive, send)
        else:
            await site(scope, receive, send)

    return application


async def live(receive: Receive, send: Send) -> None:
    """From the start to the end of the server; in between it answers requests."""
    await receive()
    serving.serve()
    presence.begin("web")
    presence.doing("answers requests")
    beating = asyncio.create_task(beat())
    # Requests are answered meanwhile, with 503 where they need the database.
    Thread(target=wait_for_database, args=(StopRequest(),), daemon=True).start()
    # Imports all views and pages, for which the first request would wait.
    get_resolver().url_patterns  # noqa: B018
    tune_garbage_collector()
    # So long each thread that computes keeps the event loop waiting, at every step of an order.
    sys.setswitchinterval(SWITCH_SECONDS)
    await send({"type": "lifespan.startup.complete"})
    await receive()
    beating.cancel()
    # In a thread, as it may take 2 s.
    await asyncio.to_thread(spans.stop)
    await send({"type": "lifespan.shutdown.complete"})


async def beat() -> None:
    """As long as the event loop gets on."""
    while True:
        heartbeat_file.beat()
        await asyncio.sleep(heartbeat_file.EVERY_SECONDS)


application = routed(fast_path.FastPath(site) if fast_path.does_all_of(OrdersView) else site)
if spans.is_on():
    application = Traced(application)
