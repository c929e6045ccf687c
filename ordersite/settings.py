"""The settings, each from the environment where an operator may want another value."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from ordersite import mongodb_url, production_checks, tracing_settings
from ordersite.environment import (
    CENTURY_DAYS,
    HIGHEST_PORT,
    between,
    currency,
    database_name,
    email_addresses,
    email_sender,
    env,
    file_that_can_be_written,
    host_name,
    host_names,
    ip_address,
    not_empty,
    one_of,
    pairs,
    percentage,
    retry_delays,
    setting,
    users_and_types,
    webhook_secrets,
)
from ordersite.patches import geography
from ordersite.urls_in_settings import (
    broker_url_that_works,
    management_url,
    mongodb_url_that_works,
    url_of_keys,
    web_url,
)
from ordersite.web import site_address
from ordersite.web.site_address import site_url
from runtime import heartbeat_file

geography.leave_out()

BASE_DIR = Path(__file__).resolve().parent.parent

#: Goes into every death certificate, so that a failure names the code that it met.
RELEASE = "0.2.0"

# --- Who may talk to the site -----------------------------------------------------------------

DEBUG = setting(env.bool, "DJANGO_DEBUG", default=False, example="false")

SECRET_KEY = setting(
    env.str,
    "DJANGO_SECRET_KEY",
    # Everyone who knows the key can sign a session, so only a developer's machine may go without
    # one.
    **(
        {"default": production_checks.KNOWN_KEY}
        if DEBUG
        else {"validate": production_checks.secret_key}
    ),
    example="$(python -c 'import secrets; print(secrets.token_urlsafe(50))')",
)

#: Encrypt the secrets in MongoDB that are read again; the first does, the others only decrypt.
#: Without one the key above does.
ENCRYPTION_KEYS = setting(
    env.list,
    "ENCRYPTION_KEYS",
    default=[],
    validate=[] if DEBUG else [production_checks.secret_keys],
    example="$(python -c 'import secrets; print(secrets.token_urlsafe(50))')",
)

ALLOWED_HOSTS = setting(
    env.list,
    "ALLOWED_HOSTS",
    default=["localhost", "127.0.0.1", "[::1]"],
    validate=host_names if DEBUG else production_checks.all_of(production_checks.hosts, host_names),
    example="orders.example.com,localhost",
)
#: How the site is reached, with the port and the path that a proxy before it gives it.
SITE_URL = setting(
    env.str,
    "SITE_URL",
    default="http://localhost:8000",
    validate=site_url,
    example="https://orders.example.com",
)
#: Proxies that say who the client is; from other addresses such headers are ignored.
TRUSTED_PROXIES = setting(
    env.list,
    "TRUSTED_PROXIES",
    default=[],
    validate=site_address.networks,
    example="127.0.0.1,10.0.0.0/8",
)
#: Sites whose pages may use the API in a browser; none, unless it is set.
CORS_ALLOWED_ORIGINS = setting(
    env.list,
    "CORS_ALLOWED_ORIGINS",
    default=[],
    validate=site_address.browser_origins,
    example="https://shop.example.com,https://www.example.com:8443",
)
#: Requests of an address without a key, in the long run; ten seconds' worth at once. 0: any number.
ADDRESS_REQUESTS_PER_SECOND = setting(
    env.float,
    "ADDRESS_REQUESTS_PER_SECOND",
    default=0 if DEBUG else 50,
    validate=between(0, 1_000_000),
    example="50",
)
#: The same for a shop whose key has no rate of its own; a customer has what an address has.
CLIENT_REQUESTS_PER_SECOND = setting(
    env.float,
    "CLIENT_REQUESTS_PER_SECOND",
    default=0 if DEBUG else 500,
    validate=between(0, 1_000_000),
    example="500",
)
# Behind a proxy that ends TLS, the admin's forms come from https while Django sees http, and often
# without the port. No header of a proxy is trusted for that, as any client can send it.
CSRF_TRUSTED_ORIGINS = site_address.origins(SITE_URL, ALLOWED_HOSTS)
# Links, redirects and addresses of files begin with it.
FORCE_SCRIPT_NAME = site_address.path_prefix(SITE_URL) or None
HAS_TLS = SITE_URL.startswith("https:")
# `make run` has no TLS; anything else does, or the operators' passwords travel in the clear.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not DEBUG or HAS_TLS
#: A header by which only the proxy says that TLS ended there. Empty: none is read.
PROXY_SSL_HEADER = setting(
    env.str,
    "SECURE_PROXY_SSL_HEADER",
    default="",
    validate=site_address.header_name,
    example="X-Forwarded-Proto",
)
SECURE_PROXY_SSL_HEADER = site_address.proxy_ssl_header(PROXY_SSL_HEADER)
# Browsers ask for the site over TLS alone, for a year from each visit.
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if HAS_TLS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
#: As in Django 6; without 'unsafe-inline' a script in a stored text stays text.
SECURE_CSP = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
SILENCED_SYSTEM_CHECKS = [
    # The proxy redirects from http to https: see deploy/. Here both are http.
    "security.W008",
    # To enter browsers' own lists is up to the owner of the whole domain.
    "security.W021",
]

#: Whether anyone may place and read orders without a key; see ordersite/access.
API_IS_OPEN = DEBUG
#: A key that was revoked is taken by no process any more after so many seconds.
REVOKED_WITHIN_SECONDS = setting(
    env.float, "REVOKED_WITHIN_SECONDS", default=5, validate=between(0, 86_400), example="5"
)

#: Who signs access tokens (RFC 9068) that are accepted beside API keys; empty: none.
JWT_ISSUER = setting(env.str, "JWT_ISSUER", default="", example="https://login.example.com/")
JWT_AUDIENCE = setting(
    env.str,
    "JWT_AUDIENCE",
    **({"validate": not_empty} if JWT_ISSUER else {"default": ""}),
    example="https://orders.example.com",
)
#: Where the issuer's public keys are.
JWT_JWKS_URL = setting(
    env.str,
    "JWT_JWKS_URL",
    **({} if JWT_ISSUER else {"default": ""}),
    validate=production_checks.all_of(not_empty, url_of_keys) if JWT_ISSUER else url_of_keys,
    example="https://login.example.com/.well-known/jwks.json",
)
#: The claim with the customer's userId, or "*" for a shop that acts for all.
JWT_USER_ID_CLAIM = setting(
    env.str, "JWT_USER_ID_CLAIM", default="user_id", validate=not_empty, example="user_id"
)

# --- MongoDB ----------------------------------------------------------------------------------

MONGODB_URL = setting(
    env.str,
    "MONGODB_URL",
    default="mongodb://localhost:27017/?directConnection=true",
    validate=mongodb_url_that_works
    if DEBUG
    else production_checks.all_of(mongodb_url_that_works, production_checks.mongodb_login),
    example="mongodb://orders:secret@localhost:27017/?replicaSet=rs0",
)
MONGODB_DATABASE = setting(
    env.str, "MONGODB_DATABASE", default="ordersite", validate=database_name, example="ordersite"
)

DATABASES = {
    "default": {
        "ENGINE": "django_mongodb_backend",
        "HOST": MONGODB_URL,
        "NAME": MONGODB_DATABASE,
        "OPTIONS": mongodb_url.options(MONGODB_URL),
    }
}
DEFAULT_AUTO_FIELD = "django_mongodb_backend.fields.ObjectIdAutoField"
DATABASE_ROUTERS = ["django_mongodb_backend.routers.MongoRouter"]
# Django's own apps come with integer keys; these migrations give them ObjectIds.
MIGRATION_MODULES = {
    app: f"ordersite.mongo_migrations.{app}" for app in ("admin", "auth", "contenttypes")
}

# --- RabbitMQ and the messages on it ----------------------------------------------------------

AMQP_URL = setting(
    env.str,
    "AMQP_URL",
    default="amqp://guest:guest@localhost:5672//",
    validate=broker_url_that_works
    if DEBUG
    else production_checks.all_of(broker_url_that_works, production_checks.broker_login),
    example="amqp://orders:secret@localhost:5672//",
)
#: RabbitMQ's management API, for what the doctor cannot ask over AMQP; the login is AMQP_URL's.
RABBITMQ_MANAGEMENT_URL = setting(
    env.str,
    "RABBITMQ_MANAGEMENT_URL",
    default="",
    validate=management_url,
    example="http://localhost:15672",
)
#: External publishers: RabbitMQ's user and the type that it may publish; * is any user, or any
#: type.
EXTERNAL_PUBLISHERS = setting(
    env.list,
    "EXTERNAL_PUBLISHERS",
    default=["*:*"] if DEBUG else [],
    validate=users_and_types,
    example="shop:order.placed,shop:order.cancelled",
)
#: How long a message waits before its second, third … attempt; then it is a failed message.
RETRY_DELAYS_SECONDS = tuple(
    setting(
        env.list,
        "RETRY_DELAYS_SECONDS",
        subcast=float,
        default=[5, 30, 120, 600],
        validate=retry_delays,
        example="5,30,120,600",
    )
)
#: How often a worker may die while it handles a message that came back.
DELIVERY_LIMIT = setting(
    env.int, "DELIVERY_LIMIT", default=20, validate=between(1, 1_000_000), example="20"
)
CONFIRM_TIMEOUT_SECONDS = setting(
    env.float, "CONFIRM_TIMEOUT_SECONDS", default=5, validate=between(0.1, 3_600), example="5"
)
#: Of a longer body the desk would keep a part, which nobody can replay.
MOST_MESSAGE_BYTES = 10_000_000
MAX_MESSAGE_BYTES = setting(
    env.int,
    "MAX_MESSAGE_BYTES",
    default=1024 * 1024,
    validate=between(1024, MOST_MESSAGE_BYTES),
    example="1048576",
)

#: After so long without news of a published order, it is sent again to the service that owes it;
#: longer than all retries take.
RECONCILE_AFTER_SECONDS = setting(
    env.float,
    "RECONCILE_AFTER_SECONDS",
    default=sum(RETRY_DELAYS_SECONDS) + 300,
    validate=between(0.1, CENTURY_DAYS * 86_400),
    example="1055",
)
#: With more messages than this ready for a service, `orders` lets it go first; 0: it never waits.
YIELD_TO_BACKLOG_MESSAGES = setting(
    env.int, "YIELD_TO_BACKLOG_MESSAGES", default=0, validate=between(0, 10**9), example="2000"
)

# --- Celery -----------------------------------------------------------------------------------

#: After this the handler gets an exception that it can clean up on …
TASK_SOFT_TIME_LIMIT_SECONDS = setting(
    env.int, "TASK_SOFT_TIME_LIMIT_SECONDS", default=20, validate=between(1, 86_400), example="20"
)
#: … and after this its process is killed.
TASK_TIME_LIMIT_SECONDS = setting(
    env.int,
    "TASK_TIME_LIMIT_SECONDS",
    default=30,
    validate=between(TASK_SOFT_TIME_LIMIT_SECONDS + 1, 86_401),
    example="30",
)

# --- Probes -----------------------------------------------------------------------------------

#: Where a process writes every second that it works, for `manage.py health`; see
#: runtime/heartbeat_file.py. Each process has a file of its own.
HEARTBEAT_FILE = setting(
    env.str,
    heartbeat_file.VARIABLE,
    default="",
    validate=file_that_can_be_written,
    example="/tmp/relay.heartbeat",  # noqa: S108
)

# --- The shop ---------------------------------------------------------------------------------

#: How long a repeated `Idempotency-Key` gets the first answer again.
IDEMPOTENCY_KEY_HOURS = setting(
    env.float,
    "IDEMPOTENCY_KEY_HOURS",
    default=24,
    validate=between(0.01, CENTURY_DAYS * 24),
    example="24",
)

#: ISO 4217: of a product that is added without one, and of an order from outside that names none.
CURRENCY = setting(env.str, "CURRENCY", default="EUR", validate=currency, example="EUR")

#: What of every price is tax; prices are gross, so it changes no total. See billing/tax.py.
TAX_RATE_PERCENT = setting(
    env.decimal, "TAX_RATE_PERCENT", default=Decimal(0), validate=percentage, example="19"
)
#: Who issues the invoices, as the law of the place wants it: name, address, tax number.
INVOICE_SELLER = setting(
    env.str, "INVOICE_SELLER", default="", example="'Name, Street 1, 12345 Town, VAT id XX123'"
)

#: Faults that an operator plants to see a service fail; never where real orders are.
SIMULATED_FAULTS = DEBUG
#: What the site adds around each call of a handler; see messaging/handling/middlewares.py.
HANDLER_MIDDLEWARE = [
    *(["messaging.handling.yielding.yield_to_backlogs"] if YIELD_TO_BACKLOG_MESSAGES else []),
    *(["ordersite.simulated_faults.injecting.inject"] if SIMULATED_FAULTS else []),
]

# --- Webhooks to customers, see docs/webhooks.md ------------------------------------------------

#: Whether the service runs. Every event is then delivered to one more queue.
WEBHOOKS = setting(env.bool, "WEBHOOKS", default=False, example="true")
#: Whether endpoints may be http, and on this machine or in a private network.
WEBHOOKS_TO_PRIVATE_ADDRESSES = setting(
    env.bool, "WEBHOOKS_TO_PRIVATE_ADDRESSES", default=DEBUG, example="true"
)
#: What was delivered, or failed for good, is deleted after so many days.
RETENTION_DAYS_WEBHOOKS = setting(
    env.int, "RETENTION_DAYS_WEBHOOKS", default=30, validate=between(1, CENTURY_DAYS), example="30"
)

# --- The operator's desk ----------------------------------------------------------------------

#: Alerts go to a webhook as JSON, and by e-mail; to neither unless it is set.
ALERT_WEBHOOK_URL = setting(
    env.str,
    "ALERT_WEBHOOK_URL",
    default="",
    validate=web_url,
    example="https://chat.example.com/hooks/orders",
)
#: They sign what it gets; two, the newer first, while the receiver changes to another one.
ALERT_WEBHOOK_SECRETS = setting(
    env.list,
    "ALERT_WEBHOOK_SECRETS",
    default=[],
    validate=webhook_secrets,
    example="whsec_$(openssl rand -base64 32)",
)
ALERT_EMAILS = setting(
    env.list, "ALERT_EMAILS", default=[], validate=email_addresses, example="operators@example.com"
)
#: No group has more than one alert in this time.
ALERT_WINDOW_MINUTES = setting(
    env.int,
    "ALERT_WINDOW_MINUTES",
    default=60,
    validate=between(1, CENTURY_DAYS * 1440),
    example="60",
)
#: More failures of one group than this in so many minutes are an alert.
ALERT_BURST_FAILURES = setting(
    env.int, "ALERT_BURST_FAILURES", default=100, validate=between(1, 10**9), example="100"
)
ALERT_BURST_MINUTES = setting(
    env.int,
    "ALERT_BURST_MINUTES",
    default=10,
    validate=between(1, CENTURY_DAYS * 1440),
    example="10",
)
EMAIL_HOST = setting(
    env.str, "EMAIL_HOST", default="localhost", validate=host_name, example="smtp.example.com"
)
EMAIL_PORT = setting(
    env.int, "EMAIL_PORT", default=25, validate=between(1, HIGHEST_PORT), example="587"
)
EMAIL_HOST_USER = setting(env.str, "EMAIL_HOST_USER", default="", example="orders")
EMAIL_HOST_PASSWORD = setting(env.str, "EMAIL_HOST_PASSWORD", default="", example="…")
EMAIL_USE_TLS = setting(env.bool, "EMAIL_USE_TLS", default=False, example="true")
EMAIL_TIMEOUT = 5
DEFAULT_FROM_EMAIL = setting(
    env.str,
    "DEFAULT_FROM_EMAIL",
    default="ordersite@localhost",
    validate=email_sender,
    example="orders@example.com",
)
#: Settled failed messages are deleted after so many days; the others never are.
RETENTION_DAYS = {
    "resolved": setting(
        env.int,
        "RETENTION_DAYS_RESOLVED",
        default=30,
        validate=between(1, CENTURY_DAYS),
        example="30",
    ),
    "discarded": setting(
        env.int,
        "RETENTION_DAYS_DISCARDED",
        default=90,
        validate=between(1, CENTURY_DAYS),
        example="90",
    ),
}

#: For so many whole years after the one that they were issued in, invoices keep their customer.
INVOICE_RETENTION_YEARS = setting(
    env.int, "INVOICE_RETENTION_YEARS", default=10, validate=between(0, 100), example="10"
)
#: Settled orders lose their customer after so many days; 0: never.
RETENTION_DAYS_ORDERS = setting(
    env.int, "RETENTION_DAYS_ORDERS", default=0, validate=between(0, CENTURY_DAYS), example="730"
)

#: Where set, edits, policies, and discards and replays of more messages an hour, wait for another.
SECOND_PERSON_ABOVE = setting(
    env.int, "SECOND_PERSON_ABOVE", default=None, validate=between(0, 10**9), example="100"
)

# --- Django -----------------------------------------------------------------------------------

INSTALLED_APPS = [
    "ordersite.apps.OrdersiteConfig",
    "ordersite.apps.MongoAdminConfig",
    "ordersite.apps.MongoAuthConfig",
    "ordersite.apps.MongoContentTypesConfig",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "ordersite.access",
    "ordersite.keyed_requests.apps.KeyedRequestsConfig",
    "ordersite.simulated_faults",
    "orders",
    "inventory",
    "billing",
    "webhooks",
    "failed_messages",
    "ordersite.personal_data.apps.PersonalDataConfig",
    "ordersite.staff.apps.StaffConfig",
]

MIDDLEWARE = [
    "ordersite.web.request_ids.RequestIds",
    "ordersite.web.security_headers.SecurityHeaders",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    # Before what asks for the host: a probe names an address, which no list of hosts has.
    "ordersite.web.probes.Probes",
    "django.contrib.sessions.middleware.SessionMiddleware",
    # Before Django's own, which gives every answer a length.
    "ordersite.web.not_modified.NotModified",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "ordersite.staff.decisions.Decisions",
    "ordersite.keyed_requests.once.KeepAnswers",
    # The last, so that what it answers has the others' headers.
    "ordersite.web.whole_request.WholeRequest",
]

ROOT_URLCONF = "ordersite.urls"
WSGI_APPLICATION = "ordersite.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

PASSWORD_HASHERS = ["ordersite.passwords.hasher.FewAtATime"]
SESSION_ENGINE = "ordersite.staff.session_store"
# A working day.
SESSION_COOKIE_AGE = 12 * 3600

#: Local users set up codes of an app (TOTP) before they see anything else.
SECOND_FACTOR_REQUIRED = setting(env.bool, "SECOND_FACTOR_REQUIRED", default=False, example="true")

# --- Logging in with the company's own accounts, see ordersite/staff/sign_on.py ---------------

#: As the provider writes it in its tokens; empty: there is none, and only local users log in.
OIDC_ISSUER = setting(
    env.str, "OIDC_ISSUER", default="", validate=web_url, example="https://login.example.com"
)
#: What goes with it, and has to be set then; whoever could change an answer would be anybody.
_THERE = {"validate": not_empty} if OIDC_ISSUER else {"default": ""}
OIDC_RP_CLIENT_ID = setting(env.str, "OIDC_CLIENT_ID", example="ordersite", **_THERE)
OIDC_RP_CLIENT_SECRET = setting(env.str, "OIDC_CLIENT_SECRET", example="…", **_THERE)
OIDC_OP_AUTHORIZATION_ENDPOINT, OIDC_OP_TOKEN_ENDPOINT, OIDC_OP_JWKS_ENDPOINT = (
    setting(
        env.str,
        name,
        validate=production_checks.all_of(
            *([not_empty] if OIDC_ISSUER else []), web_url if DEBUG else url_of_keys
        ),
        example=f"https://login.example.com/{path}",
        **({} if OIDC_ISSUER else {"default": ""}),
    )
    for name, path in (
        ("OIDC_AUTHORIZATION_URL", "authorize"),
        ("OIDC_TOKEN_URL", "token"),
        ("OIDC_JWKS_URL", "keys"),
    )
)
#: Groups of the provider, and the roles that they stand for.
OIDC_ROLES = setting(
    env.dict,
    "OIDC_ROLES",
    example="shop-ops=operator,it=administrator",
    **({} if OIDC_ISSUER else {"default": {}}),
    validate=pairs if OIDC_ISSUER else [],
)
OIDC_GROUPS_CLAIM = setting(
    env.str, "OIDC_GROUPS_CLAIM", default="groups", validate=not_empty, example="roles"
)
OIDC_NAME_CLAIM = setting(
    env.str, "OIDC_NAME_CLAIM", default="preferred_username", validate=not_empty, example="email"
)
OIDC_RP_SIGN_ALGO = "RS256"
OIDC_RP_SCOPES = "openid profile email"
OIDC_USE_PKCE = True
OIDC_CALLBACK_CLASS = "ordersite.staff.sign_on.Callback"
OIDC_TIMEOUT = 5
# The library wants one; the ID token has the claims, and is signed.
OIDC_OP_USER_ENDPOINT = OIDC_ISSUER
LOGIN_REDIRECT_URL = "admin:index"
LOGIN_REDIRECT_URL_FAILURE = f"{FORCE_SCRIPT_NAME or ''}/admin/login/"
# Local users with a password, who can log in when the provider is down, and the provider's.
AUTHENTICATION_BACKENDS = [
    "ordersite.passwords.backend.FewGuesses",
    *(["ordersite.staff.sign_on.SignOn"] if OIDC_ISSUER else []),
]

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

LANGUAGE_CODE = "en-us"
FORMAT_MODULE_PATH = "ordersite.formats"
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = f"{FORCE_SCRIPT_NAME or ''}/static/"

REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["runtime.requests.rest_framework_parser.JsonParser"],
    # In the order in which they are asked; see ordersite/access.
    "DEFAULT_AUTHENTICATION_CLASSES": [
        f"ordersite.access.authentication.{name}"
        for name in ("Bearer", "StaffLogin", "StaffSession", "Anyone")
    ],
    "DEFAULT_PERMISSION_CLASSES": [
        "ordersite.access.permission.HasScope",
        "ordersite.web.known_parameters.KnownParameters",
        "ordersite.keyed_requests.once.OncePerKey",
    ],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "ordersite.web.negotiation.AlwaysJSON",
    "EXCEPTION_HANDLER": "ordersite.web.problems.answer",
}
# The longest body that is held in memory, which is that of an order or of a message.
DATA_UPLOAD_MAX_MEMORY_SIZE = max(MAX_MESSAGE_BYTES, 1024 * 1024)

# --- What each process counts, for Prometheus --------------------------------------------------

#: Where a process serves it; each needs a port of its own on its machine. 0: nowhere.
METRICS_PORT = setting(
    env.int, "METRICS_PORT", default=0, validate=between(0, HIGHEST_PORT), example="9101"
)
METRICS_ADDRESS = setting(
    env.str,
    "METRICS_ADDRESS",
    default="127.0.0.1",
    validate=ip_address,
    example="::",
)

# --- Traces by OpenTelemetry, off until a collector is set -------------------------------------

TRACES_ARE_ON = tracing_settings.are_on()
TRACE_SAMPLER = tracing_settings.sampler() if TRACES_ARE_ON else None
#: Where a trace can be looked at; empty: nowhere.
TRACE_URL = tracing_settings.trace_url()

# --- Logs: one readable line an event, on stderr, for the process manager to keep --------------

LOG_FORMAT = setting(
    env.str,
    "LOG_FORMAT",
    default="line",
    validate=one_of("line", "json"),
    example="json",
)
LOGGING_CONFIG = "runtime.log_setup.set_up"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "class": "runtime.one_line.OneLine",
            "format": "{asctime}.{msecs:03.0f} UTC {levelname:<7} {name}: {message}",
            "datefmt": "%H:%M:%S" if DEBUG else "%Y-%m-%d %H:%M:%S",
            "style": "{",
        },
        "json": {"()": "runtime.json_lines.JsonLines"},
    },
    "filters": {
        "not_a_probe": {"()": "ordersite.web.probe_log.NotAProbe"},
        "not_put_back": {"()": "messaging.consuming.celery_log.NotPutBack"},
        "no_traceback_of_lost_ack": {"()": "messaging.consuming.celery_log.NoTracebackOfLostAck"},
    },
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT},
        "stderr_as_json": {"class": "logging.StreamHandler", "formatter": "json"},
    },
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        # Django's own handlers would say each thing twice.
        "django": {"handlers": [], "propagate": True},
        # For programs, whatever people read; see runtime.decision_log.
        "decisions": {"handlers": ["stderr_as_json"], "propagate": False},
        "django.request": {"filters": ["not_a_probe"]},
        # The development server's access log has its own format.
        "django.server": {"propagate": False},
        # Logs for each message that it came; how it ended is logged, too.
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"filters": ["not_put_back"]},
        "celery.worker.request": {"filters": ["no_traceback_of_lost_ack"]},
        # messaging.consuming.consumer logs what happens to a worker's connection, once.
        "celery.worker.consumer": {"level": "ERROR"},
        # Says every connect of the archiver at INFO.
        "kombu.mixins": {"level": "WARNING"},
        # runtime.tracing.exporting says once that the collector is down.
        "opentelemetry": {"level": "CRITICAL"},
        # Says every step of its start at INFO, and of each malformed request that it was one.
        "uvicorn.error": {"level": "ERROR"},
    },
}
