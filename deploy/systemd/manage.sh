#!/bin/bash
# Runs manage.py as an operator, as root, with the settings that the units have: deploy/systemd/manage.sh doctor
set -euo pipefail
cd "$(dirname "$0")/../.."

# As systemd reads the files: a URL with & in it needs no quotes, which a shell would want.
while IFS= read -r line; do
    name=${line%%=*}
    # What is set already wins, such as the logins of an administrator for `access apply`.
    [ "${!name+set}" ] || export "${line?}"
done < <(cat "${SETTINGS:-/etc/ordersite}"/{operator,settings}.env 2>/dev/null | grep '^[A-Z]')

exec .venv/bin/python manage.py "$@"
