#!/usr/bin/env bash
# The whole pipeline on text of this machine, in about a minute. See --help.
set -euo pipefail

usage()
{
    cat <<'TEXT'
usage: demo.sh [FOLDER]

Learns a vocabulary, counts of n-grams and a small network from English text with learn.sh, measures how
well they predict documents that they have not seen, and generates text. The text is FOLDER (plain text
files), or this machine's manual pages and documentation. Everything it makes is in build/demo of the source
tree, or in wtools-demo here when wtools is installed.
TEXT
}

[ "${1:-}" = --help ] && { usage; exit 0; }
project=$(cd "$(dirname "$0")/.." && pwd)
if [ -e "$project/Makefile" ]; then
    work=$project/build/demo wsample=build/release/wsample model=build/demo/demo.wts
else
    work=wtools-demo wsample=wsample model=wtools-demo/demo.wts
fi
mkdir -p "$work"

title()
{
    printf '\n== %s\n' "$*"
}

if [ $# -gt 0 ]; then
    text=$1
else
    title 'English text of this machine'
    text=$work/text
    "$project/pipelines/system-text.sh" "$text" 5M
fi

title 'a vocabulary, counts of n-grams and a network, in 50 seconds'
rm -rf "$work"/demo.*
"$project/pipelines/learn.sh" -t 50s -n 4096 -o "$work/demo" "$text"

title 'done; try'
echo "$wsample -m $model --counts ${model%.wts}.counts -p 'If the file'"
