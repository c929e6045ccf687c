"""Celery as its documentation sets it up for quorum queues, late acks and confirmed publishing."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")

from celery import Celery
from kombu import Exchange, Queue

QUORUM = {"x-queue-type": "quorum"}

app = Celery("shop")
app.conf.update(
    broker_url=os.environ["AMQP_URL"],
    broker_transport_options={"confirm_publish": True},
    task_default_queue_type="quorum",
    task_queues=[
        Queue(name, Exchange(name, type="topic"), routing_key=name, queue_arguments=QUORUM)
        for name in ("inventory", "billing")
    ],
    task_routes={
        "shop.tasks.reserve": {"queue": "inventory"},
        "shop.tasks.issue_invoice": {"queue": "billing"},
    },
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
)
app.autodiscover_tasks()
