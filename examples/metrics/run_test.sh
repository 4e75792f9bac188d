#!/bin/bash
# Runs the program twice on one folder: an open minute must go on where it was.
set -euo pipefail
program=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

"$program" "$folder" > "$folder/first" <<'EVENTS'
checkout 120 ok 10000
checkout 80 ok 70000
EVENTS
test ! -s "$folder/first"  # both minutes are still open
"$program" "$folder" > "$folder/second" <<'EVENTS'
checkout 900 failed 59000
checkout 100 ok 180000
EVENTS
diff <(echo "checkout 0 2 1 900 510") "$folder/second"
