"""Django's own apps with MongoDB's ObjectIds as keys, and the site as an app."""

from django.apps import AppConfig
from django.conf import settings
from django.contrib.admin.apps import SimpleAdminConfig
from django.contrib.auth.apps import AuthConfig
from django.contrib.contenttypes.apps import ContentTypesConfig
from django.core.checks import Tags, register
from django.utils.module_loading import autodiscover_modules

OBJECT_ID = "django_mongodb_backend.fields.ObjectIdAutoField"


class OrdersiteConfig(AppConfig):
    """The site itself: its commands, what it corrects in the libraries, and what ties the apps."""

    name = "ordersite"

    def ready(self) -> None:
        # Only now can the backend's modules be imported.
        from failed_messages.records import order_facts, simulated_fault
        from messaging import declarations
        from messaging.adapters import py_amqp
        from messaging.handling.handlers import ignore_the_rest
        from orders.facts_for_desk import facts
        from ordersite.patches import django_mongodb_backend
        from ordersite.pipeline import declaration_checks
        from ordersite.publisher_checks import check_publishers
        from ordersite.simulated_faults.finding import fault_of
        from ordersite.transport_checks import check_transport

        py_amqp.TRIED.warn()
        django_mongodb_backend.apply()
        order_facts.register(facts)
        if settings.SIMULATED_FAULTS:
            simulated_fault.register(fault_of)
        autodiscover_modules("tasks")
        ignore_the_rest()
        register(declaration_checks.check_declarations, declarations.TAG)
        register(check_transport, Tags.security, deploy=True)
        register(check_publishers, Tags.security)


class MongoAdminConfig(SimpleAdminConfig):
    """`ordersite.urls` looks for the apps' pages: a worker needs none of them."""

    default_site = "ordersite.admin_site.OrderSite"
    default_auto_field = OBJECT_ID


class MongoAuthConfig(AuthConfig):
    default_auto_field = OBJECT_ID


class MongoContentTypesConfig(ContentTypesConfig):
    default_auto_field = OBJECT_ID
