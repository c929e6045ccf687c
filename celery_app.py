"""The Celery application: `celery -A celery_app worker -Q billing` starts billing's worker."""

import os
import warnings

os.environ["DJANGO_SETTINGS_MODULE"] = "ordersite.settings"
# Celery would run the checks of all pages, too; `refuse_wrong_declarations` has a worker's.
os.environ.setdefault("CELERY_SKIP_CHECKS", "true")

from celery import Celery
from celery.platforms import SecurityWarning
from celery.signals import (
    celeryd_init,
    setup_logging,
    worker_before_create_process,
    worker_init,
    worker_process_init,
    worker_process_shutdown,
)
from django.conf import settings

from messaging.consuming.consumer import EVENT_CONTENT_TYPE
from messaging.consuming.prefetch import USUAL_A_CHILD
from messaging.consuming.worker_options import check_options
from messaging.consuming.worker_start import (
    end_pool_child,
    leave_logging_to_django,
    lower_priority_of_worker,
    prepare_fork,
    prepare_pool_child,
    refuse_wrong_declarations,
    tell_of_untried_libraries,
    wait_for_services,
)
from messaging.service import services
from messaging.topology import service_queue
from runtime.connecting import celery_settings

# It warns a worker that runs as root, as in a container, of pickled messages: ours takes none.
warnings.filterwarnings("ignore", category=SecurityWarning)

app = Celery("ordersite")
app.conf.update(
    **celery_settings(settings.AMQP_URL),
    worker_consumer="messaging.consuming.consumer:EventConsumer",
    task_queues=[service_queue(service) for service in services().values()],
    accept_content=[EVENT_CONTENT_TYPE],
    # A queue that is not in the map of the system is a typing error, not a new queue.
    task_create_missing_queues=False,
    task_default_queue="orders",
    task_soft_time_limit=settings.TASK_SOFT_TIME_LIMIT_SECONDS,
    task_time_limit=settings.TASK_TIME_LIMIT_SECONDS,
    worker_prefetch_multiplier=USUAL_A_CHILD,
    # It waits for acks that a batch gives together, and so would never end.
    worker_enable_prefetch_count_reduction=False,
    worker_enable_remote_control=False,
    # How long a killed child's result may still come; a redelivery after it finds the work done.
    worker_lost_wait=0.5,
    # An ack after a reconnect is impossible; the redelivery finds the work done.
    worker_cancel_long_running_tasks_on_connection_loss=False,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    # A refusal, or RabbitMQ's consumer_timeout, closes a channel; Celery would end with it.
    broker_channel_error_retry=True,
)
app.autodiscover_tasks()

celeryd_init.connect(check_options)
setup_logging.connect(leave_logging_to_django)
worker_init.connect(refuse_wrong_declarations)
worker_init.connect(tell_of_untried_libraries)
worker_init.connect(lower_priority_of_worker)
worker_init.connect(wait_for_services)
worker_before_create_process.connect(prepare_fork)
worker_process_init.connect(prepare_pool_child)
worker_process_shutdown.connect(end_pool_child)
