"""The site as Django answers it, and the admin's static files; for any server that speaks WSGI."""

import os

from django.contrib.staticfiles.finders import AppDirectoriesFinder
from django.core.wsgi import get_wsgi_application
from whitenoise import WhiteNoise

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ordersite.settings")

application = WhiteNoise(get_wsgi_application())
# Straight from the apps' folders: no build step that a deployment can forget.
for storage in AppDirectoriesFinder().storages.values():
    application.add_files(storage.location, prefix="static/")
