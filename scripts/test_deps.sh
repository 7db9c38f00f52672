#!/usr/bin/env bash
# What the tests need beyond Python packages: a real browser. Installed on Debian with root, listed anywhere else.
set -euo pipefail

PACKAGES=(chromium)
MISSING=()
for package in "${PACKAGES[@]}"; do
  command -v "$package" >/dev/null || MISSING+=("$package")
done
[ ${#MISSING[@]} -eq 0 ] && exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "installing for the tests: ${MISSING[*]}"
  log=$(mktemp)
  { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "${MISSING[@]}" fonts-dejavu-core; } \
    >"$log" 2>&1 || { tail -n 30 "$log"; exit 1; }
  rm -f "$log"
else
  echo "The tests need these programs on the PATH; please install them: ${MISSING[*]}"
  exit 2
fi
