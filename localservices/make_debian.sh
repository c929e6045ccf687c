#!/bin/bash
# Makes a root of a release of Debian, as root: make_debian.sh trixie FOLDER git,make,python3
# Packages come from where this machine has its own from.
set -euo pipefail

release=$1 folder=$2 packages=$3
"$(dirname "$0")/install_packages.sh" ca-certificates debootstrap
# Without one debootstrap knows Debian's own.
mirror=$(apt-get indextargets --format '$(REPO_URI)' | grep --max-count 1 '/debian/$' || true)
log=$(mktemp)
echo "Making a root of Debian $release …"
if ! debootstrap --variant=minbase --include="$packages" "$release" "$folder" ${mirror:+"$mirror"} >"$log"; then
    tail "$log" >&2
    exit 1
fi
rm -f "$log"
apt-config dump | grep -E '^Acquire::(https?|Check-)' >"$folder/etc/apt/apt.conf.d/99machine" || true
