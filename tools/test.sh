#!/usr/bin/env bash
# All tests, or with arguments just those that pytest then picks: tools/test.sh BIN [pytest's arguments]
set -euo pipefail

bin=$1
shift
[ $# -eq 0 ] || exec "$bin/python" -m pytest "$@"

# Calls run in real time, so they mostly wait: three at once, and nothing else. Everything else runs side by side, a file at a time.
real_time=(tests/journeys tests/agents tests/demo)

failed=0
"$bin/python" -m pytest -n auto --dist loadfile "${real_time[@]/#/--ignore=}" || failed=1
"$bin/python" -m pytest -n 3 --dist loadfile "${real_time[@]}" || failed=1
exit "$failed"
