#!/bin/bash
# Runs the program three times on one folder: state and position must go on where they were.
set -euo pipefail
program=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

"$program" "$folder" <<< "customer anna FR" > /dev/null
"$program" "$folder" > "$folder/second" <<'EVENTS'
order anna 300 tea 10000
order anna 200 cup 59000
EVENTS
test ! -s "$folder/second"  # the minute is still open
"$program" "$folder" > "$folder/third" <<'EVENTS'
order anna 900 pot 75000
order anna 100 jar 30000
EVENTS
diff <(echo "FR 0 2 500") "$folder/third"
