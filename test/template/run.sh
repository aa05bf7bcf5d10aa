#!/usr/bin/env bash
# What deploys is what builds: template.yaml by the SAM CLI and by cfn-lint, then
# `sam build`, and what it made of each function. Needs Python 3 with venv and
# make; without Python it skips, and under CI=true that fails.
set -euo pipefail
cd "$(dirname "$0")/../.."
if ! python3 -c 'import venv, ensurepip' 2> /dev/null; then
  echo 'SKIPPED: the SAM CLI needs python3 with venv'
  [ "${CI:-}" != true ] || exit 1
  exit 0
fi

# In .aws-sam, which git ignores and `sam build` does not copy: the tools are 300 MB.
tools=.aws-sam/tools
if ! cmp -s test/template/requirements.txt "$tools/installed.txt"; then
  rm -rf "$tools"
  python3 -m venv "$tools"
  "$tools/bin/pip" install -q --disable-pip-version-check -r test/template/requirements.txt
  cp test/template/requirements.txt "$tools/installed.txt"
fi
export SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=us-east-1 AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null

"$tools/bin/cfn-lint" template.yaml
"$tools/bin/sam" validate --lint
log=$(mktemp)
trap 'rm -f "$log"' EXIT
"$tools/bin/sam" build > "$log" 2>&1 || { cat "$log"; exit 1; }

arch=arm64
! grep -A1 'Architectures:' .aws-sam/build/template.yaml | grep -q x86_64 || arch=amd64
for f in Receiver Processor Poller; do
  made=$(go version -m ".aws-sam/build/${f}Function/bootstrap")
  for want in GOOS=linux GOARCH=$arch CGO_ENABLED=0; do
    grep -q "$want$" <<< "$made" || { printf '%s of sam build is not %s:\n%s\n' "$f" "$want" "$made"; exit 1; }
  done
done
echo "sam build made three static binaries for linux/$arch"
