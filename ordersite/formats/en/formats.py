"""How the admin writes a moment: as `runtime.moment` does, in the order that sorts."""

DATE_FORMAT = "Y-m-d"
DATETIME_FORMAT = r"Y-m-d H:i:s \U\T\C"
