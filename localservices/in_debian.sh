#!/bin/bash
# Runs a command in a copy of this checkout on another release of Debian, as root:
#   localservices/in_debian.sh trixie make test-fast
# The release lies in .local/debian-RELEASE; the first run makes it, with `debootstrap`. What the command
# starts ends with it, and so do the mounts.
set -euo pipefail

release=$1
shift
cd "$(dirname "$0")/.."
root=$PWD/.local/debian-$release
checkout=$root/srv/ordersite
certificates=/etc/ssl/certs/ca-certificates.crt

if [ "$(id -u)" -ne 0 ]; then
    echo "A root of another Debian release needs root: run it with sudo." >&2
    exit 1
fi
mkdir -p .local
exec 9>>"$root.lock"
if ! flock --nonblock 9; then
    echo "Another command runs in $root." >&2
    exit 1
fi

copy_checkout() {
    mkdir -p "$checkout"
    find "$checkout" -mindepth 1 -maxdepth 1 ! -name '.venv*' ! -name .local -exec rm -rf {} +
    git ls-files -z --cached --others --exclude-standard \
        | tar --create --null --files-from - --ignore-failed-read 2>/dev/null | tar --extract --directory "$checkout"
    git -C "$checkout" init --quiet
    git -C "$checkout" add --all
}

if [ ! -d "$root" ]; then
    rm -rf "$root.new"
    localservices/make_debian.sh "$release" "$root.new" ca-certificates,git,make,python3
    mv "$root.new" "$root"
fi
copy_checkout
cp -L /etc/resolv.conf /etc/hosts "$root/etc/"

# There no file tells npm of a company's registry.
if command -v npm >/dev/null && registry=$(npm config get registry); then
    export npm_config_registry=$registry
fi

# In a table of mounts and of processes of their own, which go away with the command.
export root certificates
exec unshare --mount --propagation private --pid --fork --kill-child --mount-proc="$root/proc" \
    bash -c '
        mount --rbind /dev "$root/dev"
        mount --bind -o ro "$certificates" "$root$certificates"
        chroot "$root" env --chdir=/srv/ordersite HOME=/root PATH=/usr/local/bin:/usr/sbin:/usr/bin "$@"
        # Not the last line, or this shell would become the command; it takes in what orphans leave.
        exit $?
    ' bash "$@"
