#!/usr/bin/env bash
# The main job as one shell script: from a folder of wiki files to a model. See --help.
set -euo pipefail

usage()
{
    cat <<'TEXT'
usage: train-wiki.sh CONFIG.json TEXT... -- OUTPUT [WTRAIN-OPTION...]

Learns a vocabulary of the configuration's vocab_size from TEXT (files or folders as WikiExtractor
writes them, or plain text), trains CONFIG on it, and leaves
  OUTPUT.vocab  OUTPUT.wts  OUTPUT.jsonl (the log)  OUTPUT.val (validation batches)
An existing vocabulary is used again; an interrupted training is resumed. One document in a hundred,
or the share in the variable VAL_FRACTION, is kept for validation (of a single document its end); with
0 there is none. Tokens and batches flow through pipes and are not stored.

Examples:
  train-wiki.sh configs/wiki_cache_optimized.json wiki -- wiki
  train-wiki.sh configs/autoregressive_fast.json wiki/AA -- fast --steps 1000
TEXT
}

[ "${1:-}" = --help ] && { usage; exit 0; }
texts=()
config=${1:-}
[ $# -eq 0 ] || shift
while [ $# -gt 0 ] && [ "$1" != -- ]; do
    texts+=("$1")
    shift
done
if [ ${#texts[@]} -eq 0 ] || [ $# -lt 2 ]; then
    usage >&2
    exit 2
fi
output=$2
shift 2

fraction=${VAL_FRACTION:-0.01}
split=() validation=()
if [ -n "${fraction//[0.]/}" ]; then
    split=(--val-fraction "$fraction" --val-output "$output.val")
    validation=(--val "$output.val")
fi
if [ ! -e "$output.vocab" ]; then
    wtok train -n "$(jq .vocab_size "$config")" -o "$output.vocab" -- "${texts[@]}"
fi
wtok encode -V "$output.vocab" -- "${texts[@]}" |
    wbatch -c "$config" "${split[@]}" |
    wtrain -c "$config" "${validation[@]}" --log "$output.jsonl" --resume "$output.wts.ckpt" \
        "$@" -o "$output.wts"
wsample -m "$output.wts" -p 'The history of' -n 100
