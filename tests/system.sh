#!/bin/sh
# What the tests need from the system: a Chromium. Root on Debian gets it; anybody else is told the command.
for name in chromium chromium-browser google-chrome; do
    command -v "$name" >/dev/null 2>&1 && exit 0
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing Chromium for the browser tests"
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null && exit 0
fi
if [ "${REQUIRE_BROWSER:-}" = 1 ]; then
    echo "No Chromium: the browser tests cannot run. Debian: sudo apt-get install chromium" >&2
    exit 1
fi
echo "No Chromium: browser tests are skipped. To run them on Debian: sudo apt-get install chromium" >&2
