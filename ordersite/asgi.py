"""The same site for a server that speaks ASGI."""

import os

from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ordersite.settings")

application = ASGIStaticFilesHandler(get_asgi_application())
