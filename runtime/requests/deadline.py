"""How long a request over HTTP waits for MongoDB."""

#: In all; then it is answered with 503.
ANSWER_SECONDS = 2.0
