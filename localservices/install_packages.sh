#!/bin/bash
# Installs the Debian packages named, where they are missing: install_packages.sh rabbitmq-server
# The services among them are not started: the project runs its own.
set -euo pipefail

# One after another: the processes of a test run may all ask for the same at the same moment.
# macOS has no flock, and a bash that names no descriptors; nothing is installed there.
exec 9<"$0"
if command -v flock >/dev/null; then flock 9; fi

missing=()
for package in "$@"; do
    status=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$status" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

stop() {
    echo "Not installed: ${missing[*]}. $1" >&2
    exit 1
}

command -v apt-get >/dev/null || stop "Install what your system calls these packages, then run this again."
as_root=()
if [ "$(id -u)" -ne 0 ]; then
    sudo -n true 2>/dev/null || stop "Run: sudo apt-get install ${missing[*]}   and then this again."
    as_root=(sudo -n)
fi

echo "Installing ${missing[*]} …"
# A service that the installation starts would take the standard port from the project's own.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap '"${as_root[@]}" rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
    "${as_root[@]}" chmod 755 "$policy"
fi
log=$(mktemp)
# Another apt, such as the one that keeps the system up to date, is waited for, in seconds.
most_seconds=300
apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o "DPkg::Lock::Timeout=$most_seconds")
update() {
    # The option does not reach the lock of the lists.
    until "${apt[@]}" update; do
        grep -q "Could not get lock" "$log" && [ "$SECONDS" -lt "$most_seconds" ] || return 1
        sleep 2
    done
}
if ! { update && "${apt[@]}" install --yes --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    stop "apt-get failed; the end of what it said is above, all of it in $log."
fi
rm -f "$log"
