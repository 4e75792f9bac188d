#!/bin/bash
# Runs the program twice on one folder: an open window must go on where it was.
set -euo pipefail
program=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

"$program" "$folder" > "$folder/first" <<'EVENTS'
/tea anna 1000
/tea bob 2000
EVENTS
test ! -s "$folder/first"  # the five minutes are not over
"$program" "$folder" > "$folder/second" <<'EVENTS'
/tea carl 3000
/tea anna 400000
EVENTS
diff <(echo "0 /tea=3") "$folder/second"
