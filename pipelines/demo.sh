#!/usr/bin/env bash
# The whole pipeline on text of this machine, in about a minute. See --help.
set -euo pipefail

usage()
{
    cat <<'TEXT'
usage: demo.sh [FOLDER]

Learns a vocabulary and a small model from English text, measures how well it predicts documents that
it has not seen, and generates text. The text is FOLDER (plain text files), or this machine's manual
pages and documentation. Everything it makes is in build/demo of the source tree, or in
wtools-demo here when wtools is installed.
TEXT
}

[ "${1:-}" = --help ] && { usage; exit 0; }
project=$(cd "$(dirname "$0")/.." && pwd)
config=$project/configs/demo.json
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

title 'a vocabulary, and the text as tokens'
wtok train -n "$(jq .vocab_size "$config")" -o "$work/demo.vocab" "$text"
wtok encode -V "$work/demo.vocab" -o "$work/demo.tokens" "$text"

title 'does the training fit this machine?'
wcachefit "$config" | sed '/^RATE/,$d'

title 'training; every 20th document is kept for validation'
# The split is by a hash of each document's number: a few documents may give no validation.
validation=()
if wbatch -c "$config" --val-fraction 0.05 --split val -o "$work/demo.val" "$work/demo.tokens"; then
    validation=(--val "$work/demo.val")
fi
rm -rf "$work/demo.jsonl" "$work/demo.wts.ckpt"
wbatch -c "$config" --val-fraction 0.05 --epochs 0 "$work/demo.tokens" |
    wtrain -c "$config" --time 40s "${validation[@]}" --log "$work/demo.jsonl" \
        -o "$work/demo.wts"

title 'a sample of its text'
wsample -q -m "$work/demo.wts" -p 'The' -n 120 -s 1
echo

title 'done; try'
echo "$wsample -m $model -p 'If the file'"
