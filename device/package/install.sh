#!/bin/sh
# Installs, upgrades or removes the agent: see docs/agent-install.md. With --dry-run it says what it would do.
set -eu
# The agent's user reads what is installed, whatever the umask of whoever installs it, or has unpacked it.
umask 022
usage() {
  echo "usage: sudo ./install.sh [--dry-run] [--root DIR] [--remove [--purge]]"
  echo "  --remove   takes the agent away; configuration, key and readings stay"
  echo "  --purge    with --remove: takes those away, too, and the user"
  echo "  --root     installs into another root, an image for example; starts nothing"
}
dry='' root='' remove='' purge=''
while [ $# -gt 0 ]; do
  case $1 in
    --dry-run) dry=yes ;;
    --root) [ $# -ge 2 ] || { usage >&2; exit 64; }; root=${2%/}; shift ;;
    --remove) remove=yes ;;
    --purge) purge=yes ;;
    -h|--help) usage; exit 0 ;;
    *) usage >&2; exit 64 ;;
  esac
  shift
done
[ -z "$purge" ] || [ -n "$remove" ] || { usage >&2; exit 64; }
fail() { echo "install.sh: $1" >&2; exit 1; }
run() {
  if [ -n "$dry" ]; then echo "would run: $*"; else "$@"; fi
}
# Commands that speak to the running system, or to its users: not for an image.
live() { [ -n "$root" ] || run "$@"; }

here=$(dirname "$(readlink -f "$0")")
opt=$root/opt/thingstead-agent
unit=$root/etc/systemd/system/thingstead-agent.service
link=$root/usr/local/bin/thingstead-agent
[ -n "$dry" ] || [ -n "$root" ] || [ "$(id -u)" = 0 ] || fail 'run it with sudo'

if [ -n "$remove" ]; then
  live systemctl disable --now thingstead-agent.service || true
  run rm -rf "$opt" "$unit" "$unit.d" "$link"
  live systemctl daemon-reload
  if [ -n "$purge" ]; then
    run rm -rf "$root/etc/thingstead" "$root/var/lib/thingstead"
    live userdel thingstead || true
  else
    echo "kept: $root/etc/thingstead (configuration, key) and $root/var/lib/thingstead (readings); --purge removes them"
  fi
  exit 0
fi

name=$(basename "$here")
# What is installed must run here, before anything is changed; an image may be for another board.
[ -n "$root" ] || "$here/bin/thingstead-agent" version >/dev/null ||
  fail "$name does not run on this board ($(uname -m)): is it the tarball for this platform?"

live sh -c 'getent passwd thingstead >/dev/null || useradd --system --home-dir /var/lib/thingstead --no-create-home --shell /usr/sbin/nologin thingstead'
run mkdir -p "$opt" "$root/etc/systemd/system" "$root/usr/local/bin"
if [ "$here" != "$(readlink -f "$opt")/$name" ]; then
  run rm -rf "$opt/$name"
  run cp -R "$here" "$opt/$name"
  run chmod -R u=rwX,go=rX "$opt/$name"
  [ "$(id -u)" != 0 ] || run chown -R 0:0 "$opt/$name"
fi
before=$(readlink "$opt/current" || true)
# A rename, so that at every moment there is a whole agent; the one before stays for going back.
run ln -sfn "$name" "$opt/.next"
run mv -T "$opt/.next" "$opt/current"
# What an update has brought would hide what is installed by hand.
run rm -f "$root/var/lib/thingstead/slots/current" "$root/var/lib/thingstead/slots"/boot.[01]
for old in "$opt"/thingstead-agent-*; do
  case $(basename "$old") in "$name"|"$before"|'thingstead-agent-*') ;; *) run rm -rf "$old" ;; esac
done
run ln -sfn /opt/thingstead-agent/current/bin/thingstead-agent "$link"

run mkdir -p "$root/etc/thingstead"
if [ ! -e "$root/etc/thingstead/agent.json" ]; then
  run cp "$here/agent.json" "$root/etc/thingstead/agent.json"
  run chmod 640 "$root/etc/thingstead/agent.json"
fi
run chmod 750 "$root/etc/thingstead"
live chgrp thingstead /etc/thingstead /etc/thingstead/agent.json

run cp "$here/systemd/thingstead-agent.service" "$unit"
run chmod 644 "$unit"
version=$(systemctl --version 2>/dev/null | sed -n '1s/^systemd \([0-9]*\).*/\1/p')
if [ "${version:-0}" -ge 254 ]; then
  run mkdir -p "$unit.d"
  run cp "$here/systemd/restart-steps.conf" "$unit.d/restart-steps.conf"
fi
live systemctl daemon-reload
live systemctl enable thingstead-agent.service

if [ -n "$dry" ]; then
  echo 'nothing was started'
elif [ -n "$root" ]; then
  echo 'nothing was started; the image still needs the user, who reads the configuration, and the service:'
  echo "  useradd --root $root --system --home-dir /var/lib/thingstead --no-create-home --shell /usr/sbin/nologin thingstead"
  echo "  chroot $root chgrp thingstead /etc/thingstead /etc/thingstead/agent.json"
  echo "  systemctl --root $root enable thingstead-agent.service"
elif runuser -u thingstead -- thingstead-agent check-config; then
  systemctl restart thingstead-agent.service
  systemctl --no-pager --lines=5 status thingstead-agent.service
else
  echo "installed, not started: put certificate and key into /etc/thingstead, edit agent.json, then"
  echo "  sudo systemctl start thingstead-agent && sudo -u thingstead thingstead-agent doctor"
fi
