#!/bin/sh
# What is known to be unsafe in this code (ruff's S, bandit) and in the libraries it pins (pip-audit).
# pip-audit asks a service on the network. Where that cannot be reached, the rest still counts, and the last line
# says what was not checked; AUDIT_STRICT=1 makes it an error.
bin=${1:-.venv/bin}
bad=0
pins=$(mktemp -d) && trap 'rm -rf "$pins"' EXIT

echo "ruff (S): this code"
"$bin/ruff" check --quiet app.py core pages trainers || bad=1

# Of high severity only: ruff's S has bandit's other rules, with a reason at each exception.
echo "bandit: this code, high severity"
"$bin/bandit" --quiet --severity-level high -r app.py core pages trainers || bad=1

echo "pins: every library of one exact version"
if grep -hvE '^[[:space:]]*(#|--|$)|^[A-Za-z0-9_.-]+(\[[^]]*\])?={2,3}[^=]' requirements.txt requirements-test.txt; then
  echo "The lines above pin no exact version." >&2
  bad=1
fi

echo "pip-audit: known vulnerabilities of the pinned libraries"
# === is pip's for a version with a local part; pip-audit knows == alone. Options lines are pip's own, too.
sed -E 's/={3}/==/; s/\+[A-Za-z0-9.]+//; /^--/d' requirements.txt requirements-test.txt > "$pins/requirements.txt"
timeout 300 "$bin/pip-audit" -r "$pins/requirements.txt" --no-deps --disable-pip --progress-spinner off \
  > "$pins/said" 2>&1
status=$?
skipped=$(grep -c 'could not be audited' "$pins/said")
if [ $status -eq 0 ] && [ "$skipped" -eq 0 ]; then
  tail -n 3 "$pins/said"
elif [ $status -eq 0 ]; then  # a mirror without the vulnerability service: nothing was asked, and nothing found
  echo "NOT CHECKED: the package index here knows nothing of vulnerabilities for $skipped of the pinned libraries." >&2
  echo "Run 'make audit' where pypi.org can be reached before a release." >&2
  [ "${AUDIT_STRICT:-0}" = 1 ] && bad=1
elif grep -qE 'Found [0-9]+ known' "$pins/said"; then
  cat "$pins/said"
  bad=1
else
  tail -n 1 "$pins/said" | cut -c1-300
  echo "NOT CHECKED: pip-audit could not ask its vulnerability service (the line above says why)." >&2
  echo "Run 'make audit' where pypi.org can be reached before a release." >&2
  [ "${AUDIT_STRICT:-0}" = 1 ] && bad=1
fi
[ $bad -eq 0 ] && echo "audit: nothing found by what was checked"
exit $bad
