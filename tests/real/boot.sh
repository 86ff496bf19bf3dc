#!/bin/sh
# Becomes the first process of a machine with a real systemd. Runs as root in
# namespaces of its own (mounts, processes, names, control groups); nothing
# that it mounts or writes is seen outside, or outlives them.
#   boot.sh FOLDER TREE PYTHON
# FOLDER is empty; its `own` holds what lies on top of this machine's files.
# TREE becomes /opt/smokejumper, whose interpreter is PYTHON.
set -eu

folder=$1 tree=$2 python=$3
mkdir -p "$folder/own" "$folder/work" "$folder/root"
mount -t overlay overlay "$folder/root" \
  -o "lowerdir=/,upperdir=$folder/own,workdir=$folder/work"
cd "$folder/root"

mount -t proc proc proc
# The kernel's settings are the whole machine's.
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup 2>/dev/null || {
  mount -t tmpfs none sys/fs/cgroup
  mount -t cgroup2 cgroup2 sys/fs/cgroup
}
for place in dev run tmp var/log; do
  mount -t tmpfs -o mode=755 none "$place"
done
chmod 1777 tmp
mkdir dev/shm dev/pts
mount -t devpts -o newinstance,mode=620,ptmxmode=666 none dev/pts
ln -s pts/ptmx dev/ptmx
for one in null zero full random urandom tty; do
  touch "dev/$one"
  mount --bind "/dev/$one" "dev/$one"
done

# Nothing that this machine starts by itself, nor what is the kernel's.
rm -rf etc/systemd/system/* etc/polkit-1/rules.d/*
for unit in getty.target proc-sys-fs-binfmt_misc.automount \
  systemd-firstboot.service systemd-logind.service \
  systemd-modules-load.service systemd-random-seed.service \
  systemd-repart.service systemd-sysctl.service; do
  ln -s /dev/null "etc/systemd/system/$unit"
done
uuid=$(cat /proc/sys/kernel/random/uuid)
printf '%s\n' "$uuid" | tr -d - >etc/machine-id
echo machine >etc/hostname

mkdir -p opt/smokejumper
mount --bind "$tree" opt/smokejumper
# An interpreter that only root may reach is everybody's there.
place=$(dirname "$python")
while [ "$place" != / ]; do
  chmod a+rx ".$place"
  place=$(dirname "$place")
done

# Its root is that of its mounts: systemd makes others of it for its units.
mkdir -p mnt/outside
pivot_root . mnt/outside
cd /
mount --make-rshared /
umount --lazy /mnt/outside
exec env -i container=smokejumper-tests PATH=/usr/sbin:/usr/bin:/sbin:/bin \
  /lib/systemd/systemd
