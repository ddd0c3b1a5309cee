#!/bin/sh
# What the tests need from the system: a Chromium, Node to build the map's script, and PostgreSQL. Root on Debian gets them;
# anybody else is told the command.
wanted=""
command -v npm >/dev/null 2>&1 || wanted="nodejs npm"
found=""
for name in chromium chromium-browser google-chrome; do
    command -v "$name" >/dev/null 2>&1 && found="$name"
done
[ -n "$found" ] || wanted="chromium $wanted"
served=""
for name in initdb /usr/lib/postgresql/*/bin/initdb; do
    command -v "$name" >/dev/null 2>&1 && served="$name"
done
[ -n "$served" ] || wanted="postgresql $wanted"
[ -n "$wanted" ] || exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing for the tests: $wanted"
    # shellcheck disable=SC2086
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $wanted >/dev/null && exit 0
fi
if [ "${REQUIRE_BROWSER:-}" = 1 ] && [ -z "$found" ]; then
    echo "No Chromium: the browser tests cannot run. Debian: sudo apt-get install chromium" >&2
    exit 1
fi
if [ "${REQUIRE_NODE:-}" = 1 ] && ! command -v npm >/dev/null 2>&1; then
    echo "No npm: the map's script cannot be checked. Debian: sudo apt-get install nodejs npm" >&2
    exit 1
fi
if [ "${REQUIRE_POSTGRES:-}" = 1 ] && [ -z "$served" ]; then
    echo "No PostgreSQL: the answers of audits cannot be tested with it. Debian: sudo apt-get install postgresql" >&2
    exit 1
fi
echo "Missing: $wanted. The tests that need it are skipped. To run them on Debian: sudo apt-get install $wanted" >&2
