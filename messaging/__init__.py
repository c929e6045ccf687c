from messaging.adapters import py_amqp

# Nobody reads from RabbitMQ without it.
py_amqp.install()
