#!/bin/sh
# The pages' scripts are built in webapp/static/dist. Does nothing where they are newer than their sources, needs the
# network only when package-lock.json has changed, and takes Node 20 or newer from the machine, else from PyPI.
# With `test` as argument the scripts' own tests are run after it.
set -eu
cd "$(dirname "$0")/../.."
BIN=$PWD/.venv/bin LOG=var/frontend.log BUILT=webapp/static/dist/.built INSTALLED=node_modules/.installed
SOURCES="package.json package-lock.json webapp/frontend"

new_enough() { "$1" -e 'process.exit(process.versions.node.split(".")[0] < 20 ? 1 : 0)' 2>/dev/null; }

find_node() {
    if new_enough node && command -v npm >/dev/null; then return; fi
    if ! new_enough "$BIN/node"; then
        "$BIN/pip" install -q --require-hashes -r webapp/frontend/node.lock >>$LOG 2>&1 || return 1
    fi
    PATH=$BIN:$PATH
}

build() {
    find_node || return 1
    if [ ! -e $INSTALLED ] || [ package-lock.json -nt $INSTALLED ]; then
        npm ci --fetch-retries=1 >>$LOG 2>&1 && touch $INSTALLED || return 1
    fi
    rm -rf webapp/static/dist
    npm run -s build >>$LOG 2>&1 && touch $BUILT
}

mkdir -p var
if [ ! -e $BUILT ] || [ -n "$(find $SOURCES -newer $BUILT -type f | head -n 1)" ]; then
    : >$LOG
    build || { echo "Could not build the pages' scripts (the pages work without them). Is the network there? Details: $LOG" >&2; exit 1; }
fi
if [ "${1-}" = test ]; then find_node; npm -s test; fi
