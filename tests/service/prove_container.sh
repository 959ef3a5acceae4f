#!/usr/bin/env bash
# Builds the image of Containerfile by buildah, without an engine or a registry, and runs a cell in it.
#
#   prove_container.sh BASE CELL FOLDER
#
# BASE is a Debian's root with Python, which stands in for the base image that Containerfile names:
#   debootstrap --variant=minbase --include=python3,python3-venv,python3-pip,ca-certificates,passwd bookworm BASE
# CELL is a scenario with a console. FOLDER takes what is built; FOLDER/facts what was seen.
set -euxo pipefail
base=$(readlink -f "$1")
cell=$(readlink -f "$2")
out=$(readlink -f "$3")
source=$(cd "$(dirname "$0")/../.." && pwd)
buildah() { command buildah --storage-driver vfs --root "$out/store" --runroot "$out/run" "$@"; }
say() { echo "$@" >> "$out/facts"; }
certificates=/etc/ssl/certs/ca-certificates.crt

scratch=$(buildah from scratch)
buildah copy --quiet "$scratch" "$base" /
buildah run --isolation chroot "$scratch" -- ln -sf python3 /usr/bin/python
buildah commit --quiet "$scratch" docker.io/library/python:3.12-slim
mkdir "$out/source"
git -C "$source" archive HEAD | tar --extract --directory "$out/source"
[ -e /etc/pip.conf ] && settings=(--volume /etc/pip.conf:/etc/pip.conf:ro) || settings=()
buildah bud --isolation chroot --pull-never --network host --format docker "${settings[@]}" \
    --volume "$certificates:$certificates:ro" --tag millhand --file "$out/source/Containerfile" "$out/source"

box=$(buildah from --pull-never localhost/millhand)
say user "$(buildah run --isolation chroot "$box" -- id -u)"
say writes "$(buildah run --isolation chroot "$box" -- sh -c 'touch /opt/millhand/x 2> /dev/null && echo yes || echo no')"
buildah run --isolation chroot --network host --volume "$cell:/cell:ro" "$box" -- sh -c '
    millhand run /cell --state /state & cell=$!
    for _ in $(seq 120); do
        python -m millhand.console.probe http://127.0.0.1:8080/livez && break
        sleep 0.5
    done
    echo alive $?
    kill -TERM $cell
    wait $cell
    echo ended $?
    millhand journal verify --at /state > /dev/null && echo verified yes
' >> "$out/facts"
say done yes
