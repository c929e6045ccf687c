from messaging.adapters import py_amqp

# Every process that reads from RabbitMQ needs it.
py_amqp.install()
