"""Django's command line: `python manage.py help` lists what it can do."""

import os
import sys

if __name__ == "__main__":
    # Not `setdefault`, as other projects have: a shell of theirs would decide.
    os.environ["DJANGO_SETTINGS_MODULE"] = "ordersite.settings"
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
