#!/usr/bin/env bash
# The main commands without an AWS account: moto (from PyPI) plays AWS on loopback, and boto3 creates a few resources there
# and shows their tags before and after (docs/demo.py). Everything else is the real program.
# Needs Rust, Python 3.11 or newer with venv, crates.io and PyPI. Writes only below target/, and leaves nothing running.
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '\n\033[1m# %s\033[0m\n' "$1"; }
shown() { printf '\033[36m$ %s\033[0m\n' "$*"; "$@"; }

step "Build (takes a few minutes the first time) and install the Python packages"
cargo build --locked --quiet
target=${CARGO_TARGET_DIR:-target}
venv=$target/demo-venv
if [ ! -e "$venv/complete" ]; then
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --no-compile --disable-pip-version-check -r tests/requirements.txt
    touch "$venv/complete"
fi
python=$(realpath "$venv/bin")/python

# The server ends with this script, when its stdin closes.
coproc SERVER { exec "$python" tests/suite/common/moto_launcher.py "$target/demo-requests.jsonl"; }
read -r port <&"${SERVER[0]}"

for variable in $(compgen -e | grep -E '^(AWS|TRAILCREATOR)_' || true); do unset "$variable"; done
export AWS_ENDPOINT_URL=http://127.0.0.1:$port AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1
export AWS_ACCESS_KEY_ID=testing AWS_SECRET_ACCESS_KEY=testing AWS_EC2_METADATA_DISABLED=true
PATH=$(realpath "$target/debug"):$PATH
demo=$PWD/docs/demo.py
rm -rf "$target/demo"
mkdir -p "$target/demo/logs"
cd "$target/demo"

step "Create resources on the local server, and the log file that CloudTrail would have written"
"$python" "$demo" create logs

tags_by_boto3() {
    "$python" "$demo" show
}

step "Tags before, as boto3 sees them"
tags_by_boto3
step "Load the trail"
shown trailcreator load-files logs
step "Ask who created a queue"
shown trailcreator who orders
step "What would be tagged"
shown trailcreator tag --dry-run
step "Tag"
shown trailcreator tag
step "Tags after, as boto3 sees them"
tags_by_boto3
step "A second run finds nothing to do"
shown trailcreator tag
step "Undo the first run"
shown trailcreator runs
shown trailcreator undo 1
step "Tags at the end, as boto3 sees them"
tags_by_boto3
