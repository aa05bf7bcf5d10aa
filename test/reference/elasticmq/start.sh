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

name=ElasticMQ
here=$(cd "$(dirname "$0")" && pwd)
home=${ELASTICMQ_HOME:-${XDG_CACHE_HOME:-$HOME/.cache}/pushpull/elasticmq}

launch() {
	exec java -Xmx512m \
		-Drest-sqs.bind-hostname=127.0.0.1 -Drest-sqs.bind-port="$1" \
		-Drest-sqs.sqs-limits=strict -Drest-stats.enabled=false \
		-Dnode-address.host=127.0.0.1 -Dnode-address.port="$1" \
		-Daws.region=us-east-1 -Daws.accountId=000000000000 \
		-cp "$jars/*" org.elasticmq.server.Main
}

. "$here/../server.sh"
