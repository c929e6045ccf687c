"""Undocumented names of libraries that the site uses or changes: one file a library.

Nothing else of the site does (tests/test_adapters.py). With a release that was not tried, the
library is used as it documents itself.
"""

from runtime.tried_releases import Tried

#: Here, as the settings ask for it before Django is set up.
BACKEND = Tried(
    "django-mongodb-backend",
    "==5.2.4",
    "some queries miss their indexes, a stored value of a wrong type fails the list that it is in, "
    "every process takes longer to start, a `migrate` that was ended cannot go on, and the "
    "doctor and `declare_indexes` do not look for the indexes of models",
)
