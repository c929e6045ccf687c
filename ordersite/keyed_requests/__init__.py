"""`Idempotency-Key` for every write of the API: a request that is repeated acts once.

Orders, deliveries and imports have keys of their own, which they keep with what they store, so that
no crash can leave one without the other. All others act in ways that are safe to repeat; here the
first answer is kept beside them, for `IDEMPOTENCY_KEY_HOURS`, and given again.
"""
