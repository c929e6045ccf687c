"""How the admin writes a moment: as the logs do, to the second, in the order that sorts."""

DATE_FORMAT = "Y-m-d"
DATETIME_FORMAT = "Y-m-d H:i:s"
