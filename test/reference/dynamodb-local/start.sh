#!/bin/sh
# Amazon's DynamoDB Local, the reference that our endpoint is proved against.
#
#   start.sh start PORT   fetches it (once), starts it, prints its URL
#   start.sh stop         ends the one that `start` started
#   start.sh jars         only fetches it, and prints where
#
# Then: PUSHPULL_REFERENCE_DYNAMODB=http://127.0.0.1:PORT go test ./local/dynamodb/...
#
# Needs Java 17 or later and mvn. The jars (about 60 MB) and the pid file go to
# DYNAMODB_LOCAL_HOME, or else to the user's cache folder. It keeps its tables in
# memory (-inMemory), which still needs the native SQLite library: that is what
# java.library.path is for.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
home=${DYNAMODB_LOCAL_HOME:-${XDG_CACHE_HOME:-$HOME/.cache}/pushpull/dynamodb-local}
jars=$home/jars
pidfile=$home/pid
log=$home/log

fetch() {
	if cmp -s "$here/pom.xml" "$jars/pom.xml"; then
		return
	fi
	rm -rf "$jars"
	mkdir -p "$jars"
	mvn -q -B -f "$here/pom.xml" dependency:copy-dependencies -DoutputDirectory="$jars" >&2
	cp "$here/pom.xml" "$jars/pom.xml" # last: it marks the folder as complete
}

running() {
	[ -f "$pidfile" ] && kill -0 "$(cat "$pidfile")" 2>/dev/null
}

start() {
	port=$1
	if running; then
		echo "DynamoDB Local runs already (process $(cat "$pidfile")): $0 stop" >&2
		exit 1
	fi
	fetch
	AWS_REGION=us-east-1 DDB_LOCAL_TELEMETRY=0 nohup java -Xmx512m \
		-Djava.library.path="$jars" -cp "$jars/*" \
		com.amazonaws.services.dynamodbv2.local.main.ServerRunner \
		-inMemory -sharedDb -disableTelemetry -port "$port" >"$log" 2>&1 &
	echo $! >"$pidfile"
	i=0
	until curl -s -o /dev/null "http://127.0.0.1:$port/"; do
		i=$((i + 1))
		if [ $i -gt 100 ] || ! running; then
			echo "DynamoDB Local did not start; its log:" >&2
			cat "$log" >&2
			exit 1
		fi
		sleep 0.2
	done
	echo "http://127.0.0.1:$port"
}

stop() {
	if running; then
		kill "$(cat "$pidfile")"
	fi
	rm -f "$pidfile"
}

case ${1:-} in
start) start "${2:?which port? $0 start PORT}" ;;
stop) stop ;;
jars) fetch && echo "$jars" ;;
*)
	sed -n '2,7p' "$0" >&2
	exit 2
	;;
esac
