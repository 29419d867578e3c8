#!/usr/bin/env bash
# The main commands without an AWS account: moto (from PyPI) plays AWS on loopback, and boto3 creates a few resources there
# and shows their tags before and after (docs/demo.py). Everything else is the real program.
# Needs Rust, a C compiler, Python 3.11 or newer with venv, crates.io and PyPI. Writes only below target/, and leaves nothing running.
# For bash 3.2, which is macOS's.
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '\n\033[1m# %s\033[0m\n' "$1"; }
shown() { printf '\033[36m$ %s\033[0m\n' "$*"; "$@"; }

# lacks WHAT DEBIAN FEDORA MACOS: ends the demo, and prints the command that installs what is missing.
lacks() {
    local with='Install it with' command=$2
    if [ "$2" = "$3" ] || command -v apt-get >/dev/null; then :
    elif command -v dnf >/dev/null; then command=$3
    elif [ "$(uname)" = Darwin ]; then command=$4
    else with='Install it; on Debian with'
    fi
    # Root in a container has no sudo.
    if [ "$(id -u)" = 0 ]; then command=${command#sudo }; fi
    printf 'The demo needs %s.\n%s: %s\n' "$1" "$with" "$command" >&2
    exit 1
}

# unreachable REGISTRY MIRROR: ends the demo where a package registry does not answer.
unreachable() {
    printf 'The demo needs %s, which did not answer (see the error above). Behind a proxy, first run:\n' "$1" >&2
    printf '    export HTTPS_PROXY=http://HOST:PORT\nTo use a mirror: %s\n' "$2" >&2
    exit 1
}

step "Check what the demo needs: Python 3.11 or newer with venv, Rust, a C compiler, PyPI, crates.io"
python=
for name in python3 python3.14 python3.13 python3.12 python3.11; do
    if command -v "$name" >/dev/null && "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        python=$name
        break
    fi
done
[ -n "$python" ] || lacks "Python 3.11 or newer" "sudo apt-get install python3 python3-venv" "sudo dnf install python3" "brew install python"
"$python" -c 'import ensurepip, venv' 2>/dev/null \
    || lacks "Python's venv module" "sudo apt-get install python3-venv" "sudo dnf install python3" "brew install python"

rust=$(sed -n 's/^rust-version = "\(1\.[0-9]*\).*/\1/p' Cargo.toml)
rust_up="curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh"
if command -v rustup >/dev/null; then rust_up="rustup update stable && rustup default stable"; fi
cargo=$(cargo --version 2>/dev/null) || lacks "Rust $rust or newer (cargo)" "$rust_up" "$rust_up" "$rust_up"
found=${cargo#cargo 1.}
[ "${found%%.*}" -ge "${rust#1.}" ] \
    || lacks "Rust $rust or newer (found: $cargo)" "$rust_up" "$rust_up" "$rust_up"

target=${CARGO_TARGET_DIR:-target}
mkdir -p "$target"
target=$(cd "$target" && pwd)
# The linker and the headers too. On macOS, cc exists before the tools are installed.
printf '#include <stdlib.h>\nint main(void) { return 0; }\n' >"$target/demo-check.c"
cc "$target/demo-check.c" -o "$target/demo-check" 2>/dev/null \
    || lacks "a C compiler (cc)" "sudo apt-get install build-essential" "sudo dnf install gcc" "xcode-select --install"
rm -f "$target/demo-check.c" "$target/demo-check"
printf '%s, %s, %s\n' "$("$python" --version)" "$cargo" "$(cc --version 2>/dev/null | sed -n 1p)"

# What ends with the script: the installation in the background, and moto's pipes.
installation=
pipes=
end() {
    [ -z "$installation" ] || kill "$installation" 2>/dev/null || true
    [ -z "$pipes" ] || rm -rf "$pipes"
}
trap end EXIT

venv=$target/demo-venv
pip_install() { exec "$venv/bin/python" -m pip install --quiet --no-compile --disable-pip-version-check --timeout 15 --retries 2 "$@"; }
if [ ! -e "$venv/complete" ]; then
    step "Install the Python packages below $target, beside the build"
    rm -rf "$venv"
    "$python" -m venv "$venv"
    # A small one first, so that the demo ends here, and not after the build, if PyPI does not answer.
    (pip_install "$(grep '^idna==' tests/requirements.txt)") || unreachable PyPI "pip config set global.index-url URL"
    (
        pip_install -r tests/requirements.txt &
        trap 'kill $!' TERM
        wait $! && touch "$venv/complete"
    ) >"$target/demo-venv.log" 2>&1 &
    installation=$!
fi
step "Build trailcreator (the first time takes some minutes)"
cargo fetch --locked --target "$(rustc -vV | sed -n 's/^host: //p')" \
    || unreachable crates.io "https://doc.rust-lang.org/cargo/reference/source-replacement.html"
cargo build --locked
if [ -n "$installation" ] && ! wait "$installation"; then
    cat "$target/demo-venv.log" >&2
    unreachable PyPI "pip config set global.index-url URL"
fi
installation=
python=$venv/bin/python

# moto ends when its stdin closes, and that is when this script ends. Not a coprocess: macOS has bash 3.2.
pipes=$(mktemp -d)
mkfifo "$pipes/stdin" "$pipes/stdout"
"$python" tests/suite/common/moto_launcher.py "$target/demo-requests.jsonl" <"$pipes/stdin" >"$pipes/stdout" &
exec 8>"$pipes/stdin" 9<"$pipes/stdout"
read -r port <&9

for variable in $(compgen -e | grep -E '^(AWS|TRAILCREATOR)_' || true); do unset "$variable"; done
export AWS_ENDPOINT_URL=http://127.0.0.1:$port AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1
export AWS_ACCESS_KEY_ID=testing AWS_SECRET_ACCESS_KEY=testing AWS_EC2_METADATA_DISABLED=true
PATH=$target/debug:$PATH
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
