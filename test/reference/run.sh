#!/usr/bin/env bash
# Runs the SQS and DynamoDB suites against the references, Amazon's DynamoDB
# Local and ElasticMQ. Needs Java 17 and Maven; without them it skips, and under
# CI=true that is a failure.
set -euo pipefail
cd "$(dirname "$0")/../.."
for tool in java mvn; do
  command -v $tool > /dev/null && continue
  echo "SKIPPED: the suites against the references need $tool"
  [ "${CI:-}" != true ] || exit 1
  exit 0
done

run=$(mktemp -d)
stop() {
  test/reference/elasticmq/start.sh stop "$run/elasticmq" || true
  test/reference/dynamodb-local/start.sh stop "$run/dynamodb" || true
  rm -rf "$run"
}
trap stop EXIT
