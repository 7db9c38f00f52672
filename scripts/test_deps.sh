#!/usr/bin/env bash
# What the tests need beyond Python packages: programs, each with the Debian package that brings it. Installed on Debian with
# root, listed anywhere else. Without an argument for `make test`; `torture` and `bench` need some more.
set -euo pipefail

NEEDED=(chromium:chromium cc:gcc unshare:util-linux)
case "${1:-}" in
  torture) NEEDED+=(strace:strace go:golang-go) ;;
  bench) NEEDED=(wrk:wrk) ;;
esac

MISSING=()
for pair in "${NEEDED[@]}"; do
  command -v "${pair%%:*}" >/dev/null || MISSING+=("${pair##*:}")
done
# a compiler without the C library's headers compiles nothing
[[ " ${NEEDED[*]} " != *" cc:gcc "* ]] || [ -e /usr/include/stdio.h ] || MISSING+=(libc6-dev)
[[ " ${NEEDED[*]} " != *" go:golang-go "* ]] || [ -d /usr/share/gocode/src/golang.org/x/mod ] || MISSING+=(golang-golang-x-mod-dev)
[ ${#MISSING[@]} -eq 0 ] && exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "installing for the tests: ${MISSING[*]}"
  log=$(mktemp)
  { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "${MISSING[@]}" fonts-dejavu-core; } \
    >"$log" 2>&1 || { tail -n 30 "$log"; exit 1; }
  rm -f "$log"
else
  echo "The tests need these programs on the PATH (names of Debian's packages); please install them: ${MISSING[*]}"
  exit 2
fi
