"""What each kind of process may do on RabbitMQ and MongoDB: declared, compared and granted."""
