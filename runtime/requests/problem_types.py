"""The kinds of problems that any route may answer with; those of an app are in its package."""

from __future__ import annotations

from runtime.requests.problem_type import ProblemType

MALFORMED_REQUEST = ProblemType(
    "malformed-request",
    400,
    "The request is malformed",
    "What arrived is not a complete HTTP request, so nothing was done.",
    "Send the request with a client that speaks HTTP/1.1, with its Host and Content-Length.",
    "The request is malformed, so it was not read.",
)
INVALID_REQUEST = ProblemType(
    "invalid-request",
    400,
    "The request is not valid",
    "A field of the body, a parameter in the address or a header is wrong. `errors` names each, "
    "what it must be, and what to send instead. Of a JSON body it names up to 100 wrong fields, "
    "each with a JSON pointer (RFC 6901) as RFC 9457 writes it. Nothing was done.",
    "Correct the fields that `errors` names.",
    "The order was not placed. userId: must be a whole number, not text. Send a whole number from "
    "1 to 9223372036854775807, without quotes, for example 101.",
    (
        {
            "field": "userId",
            "detail": "must be a whole number, not text",
            "fix": "Send a whole number from 1 to 9223372036854775807, without quotes, "
            "for example 101.",
            "pointer": "#/userId",
        },
    ),
)
UNAUTHENTICATED = ProblemType(
    "unauthenticated",
    401,
    "The caller is not known",
    "There is no key, access token or login, or it is unknown, expired or revoked. "
    "`WWW-Authenticate` says which.",
    "Send a valid key: Authorization: Bearer …",
    "Send a key or an access token: Authorization: Bearer …",
)
MISSING_SCOPE = ProblemType(
    "missing-scope",
    403,
    "The scope is missing",
    "The key, token or login is valid, but may not do this. `WWW-Authenticate` and `detail` name "
    "the scope.",
    "Use a key that has the scope, or ask for one.",
    "This needs the scope orders:place. Ask for a key that has it.",
)
OTHER_CUSTOMER = ProblemType(
    "other-customer",
    403,
    "The userId is another customer's",
    "A customer's key acts for its own `userId` alone, but the body names another one.",
    "Send the key's own userId, or use a key of that customer or of a shop.",
    "The order was not placed. userId: must be the user of this key. Send 101, or use a key of "
    "that user.",
    (
        {
            "field": "userId",
            "detail": "must be the user of this key",
            "fix": "Send 101, or use a key of that user.",
            "pointer": "#/userId",
        },
    ),
)
FORBIDDEN = ProblemType(
    "forbidden",
    403,
    "This is not allowed",
    "A browser sent a login from the page of another site, or without the form's CSRF token.",
    "Send the request from the site's own page, or with a key.",
    "CSRF Failed: CSRF token missing.",
)
NOT_FOUND = ProblemType(
    "not-found",
    404,
    "There is nothing here",
    "The address has a typing error, or names an order, product, message or key that does not "
    "exist. What belongs to another customer is answered the same way.",
    "Compare the address with the list of routes, and the id with a list that shows it.",
    "There is no order '674300000000000000000009'. An orderId has 24 hexadecimal digits; GET "
    "/orders lists them.",
)
METHOD_NOT_ALLOWED = ProblemType(
    "method-not-allowed",
    405,
    "The address does not take this method",
    "The address is right, but does not take this method. The header `Allow` lists those that it "
    "takes.",
    "Use a method that `Allow` lists.",
    'Method "PUT" not allowed. Use GET or POST.',
)
REQUEST_TIMEOUT = ProblemType(
    "request-timeout",
    408,
    "The request did not arrive in time",
    "The head took more than 10 s, or the body more than 20 s and a second for each 8 KiB.",
    "Send the request again, without a pause.",
    "The request did not arrive in time. Send it again, without a pause.",
)
KEY_IN_USE = ProblemType(
    "idempotency-key-in-use",
    409,
    "The Idempotency-Key is in use",
    "Another request with the same Idempotency-Key is not answered yet.",
    "Send the same request again in a second.",
    "The order was not placed. Idempotency-Key: is in use by a request that is not answered yet. "
    "Send the same request again in a second.",
    (
        {
            "field": "Idempotency-Key",
            "detail": "is in use by a request that is not answered yet",
            "fix": "Send the same request again in a second.",
        },
    ),
)
LENGTH_REQUIRED = ProblemType(
    "length-required",
    411,
    "The body has no length",
    "The body came in chunks, without its length.",
    "Send the header Content-Length.",
    "The request was not read. Content-Length: must be given. Send the body with its length, not "
    "in chunks.",
    (
        {
            "field": "Content-Length",
            "detail": "must be given",
            "fix": "Send the body with its length, not in chunks.",
        },
    ),
)
PRECONDITION_FAILED = ProblemType(
    "precondition-failed",
    412,
    "It has changed meanwhile",
    "The header If-Match names a state (ETag) that is not the present one, so nothing was done.",
    "Get it again, look at what has changed, and send the ETag of that answer.",
    "The catalogue was not changed. If-Match: does not name the state that it is in now. Get it "
    "again, look at what has changed, and send the ETag of that answer.",
    (
        {
            "field": "If-Match",
            "detail": "does not name the state that it is in now",
            "fix": "Get it again, look at what has changed, and send the ETag of that answer.",
        },
    ),
)
BODY_TOO_LARGE = ProblemType(
    "body-too-large",
    413,
    "The body is too large",
    "The body is longer than this address takes; `detail` says how long it may be.",
    "Split it into smaller requests.",
    "The request was not read. body: must have at most 1048576 bytes. Send at most 1048576 bytes; "
    "split a larger request.",
    (
        {
            "field": "body",
            "detail": "must have at most 1048576 bytes",
            "fix": "Send at most 1048576 bytes; split a larger request.",
        },
    ),
)
ADDRESS_TOO_LONG = ProblemType(
    "address-too-long",
    414,
    "The address is too long",
    "The path and the parameters together have more than 8,192 bytes.",
    "Send fewer or shorter parameters.",
    "The address has more than 8,192 bytes. Send a shorter one.",
)
UNSUPPORTED_MEDIA_TYPE = ProblemType(
    "unsupported-media-type",
    415,
    "The body is of a type that is not accepted",
    "The header Content-Type names a type that the route does not take, or Content-Encoding says "
    "that the body is compressed.",
    "Send the type that `detail` names, not compressed.",
    'Unsupported media type "text/plain" in request. Send the body with the header Content-Type: '
    "application/json.",
)
KEY_REUSED = ProblemType(
    "idempotency-key-reused",
    422,
    "The Idempotency-Key was used for another request",
    "An earlier request with this Idempotency-Key asked for something else, and was carried out.",
    "Send the first request again unchanged, or this one with a new key.",
    "The order was not placed. Idempotency-Key: was used for another order. Send the first request "
    "again unchanged, or a new key for a new order.",
    (
        {
            "field": "Idempotency-Key",
            "detail": "was used for another order",
            "fix": "Send the first request again unchanged, or a new key for a new order.",
        },
    ),
)
TOO_MANY_REQUESTS = ProblemType(
    "too-many-requests",
    429,
    "Too many requests came",
    "The client, or its address, sends more requests a second than it may, or too many of its "
    "requests take long. Nothing was done about this one.",
    "Wait as many seconds as `Retry-After` says; `RateLimit` tells what is left.",
    "More than 50 requests a second came from your address, so nothing was done about this one. "
    "Send it again in 1 s.",
)
TOO_MANY_PASSWORDS = ProblemType(
    "too-many-passwords",
    429,
    "Too many passwords were tried",
    "Too many wrong passwords came from this address or for this user.",
    "Wait as many seconds as `Retry-After` says.",
    "Nothing was tried this time. Try again in 15 seconds.",
)
HEADERS_TOO_LARGE = ProblemType(
    "headers-too-large",
    431,
    "The headers are too large",
    "The request has too many headers, or too long ones.",
    "Send fewer or shorter headers.",
    "There are more than 100 headers. Send fewer.",
)
INTERNAL_ERROR = ProblemType(
    "internal-error",
    500,
    "The site has an error",
    "The fault is the site's, which has logged it.",
    "Try again; tell the operators if it happens again.",
    "The site has an internal error, which is logged. Try again.",
)
DATABASE_UNAVAILABLE = ProblemType(
    "database-unavailable",
    503,
    "The database does not answer",
    "MongoDB did not answer in time. Whether a write was done is not known.",
    "Send the same request, with the same Idempotency-Key, after `Retry-After` seconds.",
    "The database does not answer. Try again in 5 seconds; with the same Idempotency-Key an order "
    "is placed once, however often you send it.",
)
RABBITMQ_UNAVAILABLE = ProblemType(
    "rabbitmq-unavailable",
    503,
    "RabbitMQ does not answer",
    "The answer needs RabbitMQ, which is down. Orders are accepted without it.",
    "Try again later.",
    "RabbitMQ does not answer, so its queues cannot be counted. Try again later.",
)
ISSUER_UNAVAILABLE = ProblemType(
    "issuer-unavailable",
    503,
    "The issuer of access tokens does not answer",
    "The token cannot be checked, as its issuer's public keys cannot be fetched.",
    "Try again after `Retry-After` seconds, or use a key.",
    "The issuer of access tokens does not answer. Try again later.",
)
TOO_BUSY = ProblemType(
    "too-busy",
    503,
    "The site is too busy",
    "More requests wait than can be served in time. Nothing was done about this one.",
    "Send it again after `Retry-After` seconds.",
    "More requests wait than can be served in time, so nothing was done about this one. Send it "
    "again in 1 second.",
)
SITE_UNAVAILABLE = ProblemType(
    "site-unavailable",
    503,
    "The site does not answer",
    "The proxy got no answer from the site. Whether a write was done is not known.",
    "Send the same request, with the same Idempotency-Key, after `Retry-After` seconds.",
    "The site does not answer. Try again in 5 s; with the same Idempotency-Key an order is placed "
    "once, however often you send it.",
)
