#!/usr/bin/env bash
# Fuzzes every Fuzz function of the module for a time each: test/fuzz.sh 20s
# With a number and folders it goes over those again and again until together
# that many inputs were run, and prints a table: test/fuzz.sh 20s 10000000 shared/webhook
set -euo pipefail
cd "$(dirname "$0")/.."
each=${1:-20s}
goal=${2:-0}
shift $(($# < 2 ? $# : 2))
[ $# -gt 0 ] || set -- .
found=0
total=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
log=$work/log
fuzz() { go test -run='^$' -fuzz="^$name\$" -fuzztime="$each" -fuzzminimizetime=5x "$package" > "$log" 2>&1; }
executed() { sed -nE 's/.*execs: ([0-9]+).*/\1/p' "$log" | tail -1; }
table() {
  sort "$work/counts" | awk '
    { of[$1 " " $2] += $3; total += $3; if (!seen[$1 " " $2]++) order[++n] = $1 " " $2 }
    END {
      print "| package | target | inputs |\n|---|---|---:|"
      for (i = 1; i <= n; i++) { split(order[i], at, " "); printf "| %s | %s | %d |\n", at[1], at[2], of[order[i]] }
      printf "| together | | %d |\n", total
    }'
}
targets=$(grep -rnoE --include='*_test.go' 'func Fuzz[A-Za-z0-9_]+' "$@" | sed -E 's/^(\.\/)?([^:]+):[0-9]+:func (.*)$/\2:\3/' | sort)
[ -n "$targets" ] || { echo 'no Fuzz function found: is this the whole repository?'; exit 1; }
while :; do
  for target in $targets; do
    name=${target#*:}
    package=./$(dirname "${target%:*}")
    found=$((found + 1))
    printf '%-34s %-18s' "$package" "$name"
    # The go command now and then reports its own deadline as a failure: what counts is an input that fails.
    fuzz || { ! grep -q 'Failing input written' "$log" && fuzz; } || { echo; cat "$log"; exit 1; }
    count=$(executed)
    total=$((total + ${count:-0}))
    echo "${package#./} $name ${count:-0}" >> "$work/counts"
    printf ' %10d\n' "${count:-0}"
  done
  [ "$total" -lt "$goal" ] || break
done
[ "$goal" -eq 0 ] || table
echo "$found runs, $each each, $total inputs"
