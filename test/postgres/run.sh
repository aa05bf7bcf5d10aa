#!/usr/bin/env bash
# The postgres destination against a real PostgreSQL. As root on Debian it installs
# the server where it is not there; elsewhere, without one, it skips, and under
# CI=true that is a failure.
set -euo pipefail
cd "$(dirname "$0")/../.."

find_server() { ls -d /usr/lib/postgresql/*/bin /opt/homebrew/opt/postgresql*/bin 2> /dev/null | sort -V | tail -n 1 || true; }
bin=$(find_server)
if [ -z "$bin" ] && command -v apt-get > /dev/null && [ "$(id -u)" = 0 ]; then
  apt-get update -q > /dev/null
  DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends postgresql > /dev/null
  bin=$(find_server)
fi
if [ -z "$bin" ] || ! command -v openssl > /dev/null; then
  echo 'SKIPPED: the postgres destination needs a PostgreSQL server and openssl'
  [ "${CI:-}" != true ] || exit 1
  exit 0
fi

# The server refuses to be root.
as=()
[ "$(id -u)" != 0 ] || as=(runuser -u postgres --)
dir=$(mktemp -d)
cleanup() {
  "${as[@]}" "$bin/pg_ctl" -D "$dir/data" -m immediate -s stop 2> /dev/null || true
  rm -rf "$dir"
}
trap cleanup EXIT

password=$(openssl rand -hex 16)
echo "$password" > "$dir/password"
mkdir "$dir/data"
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
  -keyout "$dir/server.key" -out "$dir/server.crt" 2> /dev/null
chmod 600 "$dir/server.key"
[ "$(id -u)" != 0 ] || chown -R postgres "$dir"
"${as[@]}" "$bin/initdb" -D "$dir/data" -U pushpull --pwfile="$dir/password" -A scram-sha-256 --locale=C.UTF-8 -N > /dev/null
port=$((20000 + RANDOM % 10000))
while (exec 3<> "/dev/tcp/127.0.0.1/$port") 2> /dev/null; do port=$((20000 + RANDOM % 10000)); done
if ! "${as[@]}" "$bin/pg_ctl" -D "$dir/data" -w -s -l "$dir/log" start -o "-h 127.0.0.1 -p $port -k $dir \
  -c fsync=off -c max_connections=200 -c ssl=on -c ssl_cert_file=$dir/server.crt -c ssl_key_file=$dir/server.key"; then
  cat "$dir/log"
  exit 1
fi
"$bin/postgres" --version
chmod 755 "$dir"
PUSHPULL_TEST_POSTGRES="postgres://pushpull@127.0.0.1:$port/postgres" PUSHPULL_TEST_POSTGRES_PASSWORD=$password \
  PUSHPULL_TEST_POSTGRES_CA=$dir/server.crt go test -count=1 -run 'Postgres|TestEveryKind/postgres' ./shared/destination "$@"
