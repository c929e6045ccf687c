"""What RabbitMQ refuses, in the operator's words: why, and the command that corrects it.

Its codes: https://www.rabbitmq.com/amqp-0-9-1-reference#constants
"""

from __future__ import annotations

import shlex
import ssl

import amqp
from django.conf import settings

from runtime.broker_url import parse

OR_CORRECT_THE_URL = "or correct AMQP_URL and start this process again."

#: In milliseconds; RabbitMQ's own default.
CONSUMER_TIMEOUT = 1_800_000
LONGER_CONSUMER_TIMEOUT = (
    f"rabbitmqctl eval 'application:set_env(rabbit, consumer_timeout, {CONSUMER_TIMEOUT}).', and "
    f"for its next start, in rabbitmq.conf: consumer_timeout = {CONSUMER_TIMEOUT}"
)

#: OpenSSL's codes for a certificate of another host (62) and of another IP address (64).
OF_ANOTHER_NAME = (62, 64)
#: A refused login has no method that it answers.
NO_METHOD = (0, 0)


def refused(error: amqp.AMQPError) -> str:
    """Empty where the error says that RabbitMQ is down, and not that it refuses something."""
    said = str(error.reply_text or error)
    words = said.partition(" - ")[2] or said
    if isinstance(error, amqp.AccessRefused):
        return _access(words, is_login=error.method_sig == NO_METHOD)
    if isinstance(error, amqp.NotAllowed):
        return _virtual_host(words)
    if isinstance(error, amqp.NotFound):
        return f"RabbitMQ answers: {words}. Declare it: python manage.py declare_topology"
    if isinstance(error, amqp.PreconditionFailed) and "acknowledgement" in words:
        return (
            f"RabbitMQ took back what was held for longer than its consumer_timeout ({words}). "
            f"Make that longer on each node: {LONGER_CONSUMER_TIMEOUT}"
        )
    if isinstance(error, amqp.PreconditionFailed):
        return f"RabbitMQ answers: {words}. What differs, and what to do: python manage.py doctor"
    if isinstance(error, amqp.ConsumerCancelled):
        return (
            "RabbitMQ has ended a consumer: its queue was deleted or has lost its leader, or (from "
            "4.3 on) it held a message for longer than consumer_timeout. In that case make that "
            f"longer on each node: {LONGER_CONSUMER_TIMEOUT}"
        )
    if type(error) is amqp.ConnectionError:
        return f"RabbitMQ does not take the connection: {words}. Correct AMQP_URL."
    return ""


def _access(words: str, *, is_login: bool) -> str:
    user = _user()
    if is_login:
        return (
            f"RabbitMQ refuses the login of the user {user}: it is not there, or its password is "
            f"another one. On RabbitMQ's host: rabbitmqctl add_user {user}, or rabbitmqctl "
            f"change_password {user}; {OR_CORRECT_THE_URL}"
        )
    if "exclusive" in words:
        return (
            f"RabbitMQ answers: {words}. Another client has it for itself; rabbitmqctl "
            "list_consumers shows which. End that client."
        )
    return (
        f"RabbitMQ answers: {words}. Give the permission back: {_grant()}; where `manage.py access "
        "apply` made the user, run that again. If something is not declared, an operator's "
        "`manage.py declare_topology` declares it"
    )


def _virtual_host(words: str) -> str:
    vhost = _vhost()
    if "not found" in words:
        return (
            f"RabbitMQ has no virtual host {vhost}. Make it: rabbitmqctl add_vhost {vhost} && "
            f"{_grant()}; {OR_CORRECT_THE_URL}"
        )
    if "limit" in words:
        return (
            f"RabbitMQ answers: {words}. End connections, or remove the limit: rabbitmqctl "
            f"clear_vhost_limits -p {vhost}, or rabbitmqctl clear_user_limits {_user()} all"
        )
    return f"RabbitMQ answers: {words}. Give the permission: {_grant()}; {OR_CORRECT_THE_URL}"


def refused_by_tls(error: ssl.SSLError) -> str:
    """Empty where the error is not a refusal."""
    if isinstance(error, ssl.SSLCertVerificationError) and error.verify_code in OF_ANOTHER_NAME:
        return (
            f"the server's certificate is for another name ({error.verify_message}). Write in "
            "AMQP_URL the host as it is in the certificate, or the name that is: amqps://…?"
            "server_name_indication=rabbit.example.com"
        )
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"the server's certificate is not trusted ({error.verify_message}). Name the authority "
            "that signed it in AMQP_URL: amqps://…?cacertfile=/path/to/ca.pem"
        )
    if "WRONG_VERSION_NUMBER" in str(error):
        return (
            "the server does not speak TLS at this port. RabbitMQ's port for amqps:// is 5671; "
            "without TLS the URL starts with amqp://."
        )
    return ""


def _grant() -> str:
    return f"rabbitmqctl set_permissions -p {_vhost()} {_user()} '.*' '.*' '.*'"


def _user() -> str:
    return shlex.quote(parse(settings.AMQP_URL).user)


def _vhost() -> str:
    return shlex.quote(parse(settings.AMQP_URL).virtual_host)
