#!/usr/bin/env bash
# Boots a systemd of its own over a copy-on-write view of this computer, and runs a script under it.
#
#   unshare --mount --pid --fork --uts --ipc --cgroup nested_systemd.sh DRIVER OUT
#
# Nothing that is done inside is seen outside, but for what is written to /out (the folder OUT).
set -euo pipefail
driver=$(readlink -f "$1")
out=$(readlink -f "$2")
console=$(tty)
layers=$(mktemp -d)
mount -t tmpfs tmpfs "$layers"
mkdir "$layers"/{upper,work,root}
root=$layers/root
mount -t overlay overlay -o "lowerdir=/,upperdir=$layers/upper,workdir=$layers/work" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs tmpfs "$root/run"
mount -t tmpfs tmpfs "$root/dev"
mkdir "$root"/dev/{shm,pts,mqueue,hugepages}
mount -t tmpfs tmpfs "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
for device in null zero full random urandom tty; do
    touch "$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
touch "$root/dev/console"
mount --bind "$console" "$root/dev/console"
mkdir -p "$root/out"
mount --bind "$out" "$root/out"
cp "$driver" "$root/run/driver.sh"
rm -rf "$root"/etc/systemd/system/*
cat > "$root/etc/systemd/system/prove.target" <<'UNIT'
[Unit]
DefaultDependencies=no
Wants=prove.service systemd-journald.service
UNIT
cat > "$root/etc/systemd/system/prove.service" <<'UNIT'
[Unit]
DefaultDependencies=no
After=systemd-journald.service
[Service]
Type=oneshot
TimeoutStartSec=240
ExecStart=/bin/bash /run/driver.sh
StandardOutput=file:/out/driver.log
StandardError=inherit
ExecStopPost=/bin/systemctl exit 0
UNIT
# The services proved here ask for sysinit.target, which would set up the computer a second time.
for unit in sysinit.target basic.target network-online.target; do
    printf '[Unit]\nDefaultDependencies=no\n' > "$root/etc/systemd/system/$unit"
done
# A new root and not a mere chroot, in which services could get no view of their own.
cd "$root"
mkdir run/before
mount --make-rprivate /
pivot_root . run/before
umount --lazy /run/before
exec env -i container=unshare PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    chroot . /lib/systemd/systemd --system --unit=prove.target --log-target=console
