"""How what MongoDB has is read, whoever wrote it.

Other programs and earlier releases write to the same collections. MongoDB checks no text for
UTF-8, and its dates reach some 290 million years, where Python's end with the year 9999. PyMongo
raises at either, so that the whole batch that it reads is lost with the one document. Here such a
text has a replacement character, and such a date is the last that there is: what is wrong with a
document is found where it is read, and costs that document alone.
"""

from __future__ import annotations

from typing import Any

from bson.codec_options import CodecOptions, DatetimeConversion

#: For the client, whose names these are; https://pymongo.readthedocs.io/en/stable/api/bson/codec_options.html
OPTIONS = {
    "datetime_conversion": "DATETIME_CLAMP",
    "unicode_decode_error_handler": "replace",
}

#: For a collection beside Django's ORM: its dates are aware, in UTC.
AWARE: CodecOptions[dict[str, Any]] = CodecOptions(
    tz_aware=True,
    datetime_conversion=DatetimeConversion.DATETIME_CLAMP,
    unicode_decode_error_handler="replace",
)
