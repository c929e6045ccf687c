"""The site's settings, with a MongoDB and a RabbitMQ for the tests alone, on free ports.

Both start when a test asks for them. One that forgets to ask meets a refused connection, never the
data of the developer who runs the tests. Where `MONGODB_URL` or `AMQP_URL` was set, that service is
the user's, and the tests have a database or a virtual host of their own there.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from localservices.mongodb import MongoDB
from tests.given_services import GivenMongoDB, GivenRabbitMQ, given, new_name
from tests.settled_rabbitmq import SettledRabbitMQ

FOLDER = Path(tempfile.mkdtemp(prefix="ordersite-tests-"))
GIVEN = given(os.environ)
OWN_NAME = new_name()
MONGODB = (
    GivenMongoDB(GIVEN["MONGODB_URL"], OWN_NAME)
    if "MONGODB_URL" in GIVEN
    else MongoDB(FOLDER / "mongodb")
)
RABBITMQ = (
    GivenRabbitMQ(GIVEN["AMQP_URL"], GIVEN.get("RABBITMQ_MANAGEMENT_URL"), OWN_NAME)
    if "AMQP_URL" in GIVEN
    else SettledRabbitMQ(FOLDER / "rabbitmq")
)

# By a company's proxy no test reaches what it started itself; what apt installs may need it.
past_the_proxy = os.environ.get("no_proxy") or os.environ.get("NO_PROXY")
for name in ("no_proxy", "NO_PROXY"):
    os.environ[name] = ",".join(filter(None, (past_the_proxy, "localhost,127.0.0.1,::1")))
# The processes that tests start read them, too.
os.environ.update(
    DJANGO_SETTINGS_MODULE="ordersite.settings",
    DJANGO_DEBUG="true",
    DJANGO_SECRET_KEY="only-for-tests-" + "x" * 50,
    MONGODB_URL=MONGODB.url,
    MONGODB_DATABASE=OWN_NAME,
    AMQP_URL=RABBITMQ.url,
    RABBITMQ_MANAGEMENT_URL=RABBITMQ.management_url,
    RETRY_DELAYS_SECONDS="0.2,0.4",
    DELIVERY_LIMIT="3",
)

from ordersite.settings import *  # noqa: E402, F403
