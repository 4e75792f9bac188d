#!/bin/bash
# Runs the program twice on one folder: an open visit must go on where it was.
set -euo pipefail
program=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

"$program" "$folder" > "$folder/first" <<'EVENTS'
anna /home 0
anna /tea 600000
EVENTS
test ! -s "$folder/first"  # the visit is still open
"$program" "$folder" > "$folder/second" <<'EVENTS'
anna /cart 1200000
anna /home 9000000
EVENTS
diff <(echo "anna 0 1200000 3 /home /cart") "$folder/second"
