from messaging import pyamqp as pyamqp  # Nobody reads from RabbitMQ without it.
