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

name='DynamoDB Local'
here=$(cd "$(dirname "$0")" && pwd)
home=${DYNAMODB_LOCAL_HOME:-${XDG_CACHE_HOME:-$HOME/.cache}/pushpull/dynamodb-local}

launch() {
	AWS_REGION=us-east-1 DDB_LOCAL_TELEMETRY=0 exec java -Xmx512m \
		-Djava.library.path="$jars" -cp "$jars/*" \
		com.amazonaws.services.dynamodbv2.local.main.ServerRunner \
		-inMemory -sharedDb -disableTelemetry -port "$1"
}

. "$here/../server.sh"
