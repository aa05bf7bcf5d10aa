#!/bin/sh
# ElasticMQ, the reference that our SQS endpoint is proved against.
#
#   start.sh start PORT   fetches it (once), starts it, prints its URL
#   start.sh stop         ends the one that `start` started
#   start.sh jars         only fetches it, and prints where
#
# Then: PUSHPULL_REFERENCE_SQS=http://127.0.0.1:PORT go test ./local/sqs/...
#
# Needs Java 11 or later and mvn. The jars (about 40 MB) and the pid file go to
# ELASTICMQ_HOME, or else to the user's cache folder. Its queues are in memory.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
home=${ELASTICMQ_HOME:-${XDG_CACHE_HOME:-$HOME/.cache}/pushpull/elasticmq}
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
		echo "ElasticMQ runs already (process $(cat "$pidfile")): $0 stop" >&2
		exit 1
	fi
	fetch
	nohup java -Xmx512m \
		-Drest-sqs.bind-hostname=127.0.0.1 -Drest-sqs.bind-port="$port" \
		-Drest-sqs.sqs-limits=strict -Drest-stats.enabled=false \
		-Dnode-address.host=127.0.0.1 -Dnode-address.port="$port" \
		-Daws.region=us-east-1 -Daws.accountId=000000000000 \
		-cp "$jars/*" org.elasticmq.server.Main >"$log" 2>&1 &
	echo $! >"$pidfile"
	i=0
	until curl -s -o /dev/null "http://127.0.0.1:$port/"; do
		i=$((i + 1))
		if [ $i -gt 150 ] || ! running; then
			echo "ElasticMQ did not start; its log:" >&2
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
