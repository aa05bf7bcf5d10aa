#!/usr/bin/env bash
# Fuzzes every Fuzz function of the module for a time each: test/fuzz.sh 20s
set -euo pipefail
cd "$(dirname "$0")/.."
each=${1:-20s}
found=0
while IFS=: read -r file name; do
  found=$((found + 1))
  package=./$(dirname "$file")
  printf '%-34s %s\n' "$package" "$name"
  go test -run='^$' -fuzz="^$name\$" -fuzztime="$each" -fuzzminimizetime=5x "$package" > fuzz.log 2>&1 || { cat fuzz.log; exit 1; }
done < <(grep -rnoE --include='*_test.go' 'func Fuzz[A-Za-z0-9_]+' . | sed -E 's/^\.\/([^:]+):[0-9]+:func (.*)$/\1:\2/')
rm -f fuzz.log
[ "$found" -gt 0 ] || { echo 'no Fuzz function found: is this the whole repository?'; exit 1; }
echo "$found parsers fuzzed, $each each"
