"""Changing what is declared on RabbitMQ while messages flow: `manage.py topology plan|apply`.

`plan` compares, `apply` moves each queue whose arguments changed by way of a shadow queue, declares
what is missing, and removes what is left over, as far as that is safe.
"""
