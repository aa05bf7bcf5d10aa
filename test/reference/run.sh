#!/usr/bin/env bash
# Runs the SQS and DynamoDB suites against the references, ElasticMQ and Amazon's
# DynamoDB Local. Needs Java 17 and Maven; without them it skips, and under
# CI=true that is a failure.
set -euo pipefail
cd "$(dirname "$0")/../.."
for tool in java mvn; do
  command -v $tool > /dev/null && continue
  echo "SKIPPED: the suites against the references need $tool"
  [ "${CI:-}" != true ] || exit 1
  exit 0
done

stop() {
  test/reference/elasticmq/start.sh stop || true
  test/reference/dynamodb-local/start.sh stop || true
}
trap stop EXIT

free() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
sqs=$(free)
dynamodb=$(free)
test/reference/elasticmq/start.sh start "$sqs"
test/reference/dynamodb-local/start.sh start "$dynamodb"
export PUSHPULL_REFERENCE_SQS=http://127.0.0.1:$sqs PUSHPULL_REFERENCE_DYNAMODB=http://127.0.0.1:$dynamodb
go test -count=1 -run '^TestReference$' ./local/sqs ./local/dynamodb ./shared/ledger ./shared/checkpoint
