#!/bin/bash
# Installs what the tests with real Jami daemons and a real browser need and is missing: Debian packages, so as root. Without root, or
# elsewhere, it says what is missing; those tests then say that they are skipped.
needed=(jami-daemon dhtnode dbus iproute2 nftables procps util-linux git openssl chromium)

missing=()
for package in "${needed[@]}"; do
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done
[ ${#missing[@]} = 0 ] && exit 0

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "tests/setup.sh: these Debian packages are missing, and only root can install them: ${missing[*]}" >&2
  exit 0
fi

echo "Installing ${missing[*]} ..."
log=$(mktemp)
export DEBIAN_FRONTEND=noninteractive
for tries in 1 2 3; do # the mirror or another apt may be busy
  if apt-get update -q >>"$log" 2>&1 &&
    apt-get install -q -y --no-install-recommends -o DPkg::Lock::Timeout=300 "${missing[@]}" >>"$log" 2>&1; then
    rm -f "$log"
    exit 0
  fi
  sleep $((tries * 5))
done
tail -n 30 "$log" >&2
rm -f "$log"
echo "tests/setup.sh: could not install ${missing[*]}" >&2
[ -z "$CI" ]
