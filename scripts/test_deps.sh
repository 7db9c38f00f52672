#!/usr/bin/env bash
# What the tests need beyond Python packages: programs, each with the Debian package that brings it, and the npm packages of
# tests/foreign/node. Programs are installed on Debian with root, listed anywhere else; npm packages go into that folder.
# Without an argument for `make test`; `torture` and `bench` need others.
set -euo pipefail
cd "$(dirname "$0")/.."

NEEDED=(chromium:chromium nginx:nginx-light redis-server:redis-server cc:gcc unshare:util-linux softhsm2-util:softhsm2 node:nodejs npm:npm)
case "${1:-}" in
  torture) NEEDED+=(strace:strace go:golang-go) ;;
  bench) NEEDED=(wrk:wrk node:nodejs npm:npm chromium:chromium) ;;
esac

MISSING=()
for pair in "${NEEDED[@]}"; do
  PATH="$PATH:/usr/sbin" command -v "${pair%%:*}" >/dev/null || MISSING+=("${pair##*:}")
done
# a compiler without the C library's headers compiles nothing
[[ " ${NEEDED[*]} " != *" cc:gcc "* ]] || [ -e /usr/include/stdio.h ] || MISSING+=(libc6-dev)
[[ " ${NEEDED[*]} " != *" go:golang-go "* ]] || [ -d /usr/share/gocode/src/golang.org/x/mod ] || MISSING+=(golang-golang-x-mod-dev)

if [ ${#MISSING[@]} -gt 0 ]; then
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
fi

node -e 'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)' || { echo "The tests need Node 18 or newer; found $(node --version)."; exit 2; }
# npm writes its own list last, so an installation that was cut off is made again
cd tests/foreign/node
if ! [ node_modules/.package-lock.json -nt package-lock.json ]; then
  echo "installing the npm packages that judge in the tests (once)"
  log=$(mktemp)
  npm ci >"$log" 2>&1 || { tail -n 30 "$log"; exit 1; }
  rm -f "$log"
  touch node_modules/.package-lock.json
fi
