#!/usr/bin/env bash
# Configurations side by side: predictions of wcachefit and measurements of a short training. See
# --help.
set -euo pipefail

usage()
{
    cat <<'TEXT'
usage: compare.sh [-d DURATION] [-b BATCH] [-j] TOKENS CONFIG.json...

Trains each CONFIG for DURATION (default: 30s) on TOKENS, a token stream of wtok, and prints a
line for each: parameters; memory as planned and as measured; tokens a second as predicted from the
arithmetic and the GFLOP/s of the first configuration, and as measured; the loss it reached. Then
which loss is the lowest, and how far the others are from it.

  -d DURATION  of each training: 30s, 5m; at least one step is made
  -b BATCH     sequences in a batch, for all, instead of each configuration's batch_size: for a
               quick look at configurations whose batches are large
  -j           JSON Lines instead of a table

Examples:
  wtok encode -V wiki.vocab -o wiki.tokens wiki
  compare.sh -b 8 wiki.tokens configs/wiki_*.json
TEXT
}

duration=30s batch=() json=
while getopts d:b:j-: option; do
    case $option in
    d) duration=$OPTARG ;;
    b) batch=(--set "batch_size=$OPTARG") ;;
    j) json=1 ;;
    -) [ "$OPTARG" = help ] || { usage >&2; exit 2; }; usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
    esac
done
shift $((OPTIND - 1))
[ $# -ge 2 ] || { usage >&2; exit 2; }
tokens=$1
shift

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
number=0
for config; do
    number=$((number + 1)) # configurations of two folders may have the same name
    name=$(basename -- "$config" .json)
    echo "$name: training for $duration" >&2
    wbatch -q -c "$config" "${batch[@]}" --epochs 0 -- "$tokens" |
        wtrain -q -c "$config" "${batch[@]}" --time "$duration" --log "$work/$number.jsonl"
    # The first step warms up the caches and is left out if there are more.
    jq -s --arg name "$name" 'map(select(.t == "step")) | .[-1] as $last
        | (if length > 1 then .[1:] else . end) | sort_by(.tok_s) | .[length / 2 | floor]
        | {name: $name, tok_s, gflops, loss: $last.loss, steps: $last.step,
           peak_bytes: $last.peak_bytes}' "$work/$number.jsonl" >>"$work/measured"
done

gflops=$(jq -s '.[0].gflops' "$work/measured")
wcachefit --json "${batch[@]}" --gflops "$gflops" -- "$@" >"$work/predicted"
jq -cn --slurpfile measured "$work/measured" --slurpfile predicted "$work/predicted" '
    range($measured | length) as $i | $measured[$i] as $m
    | $predicted[0].configs[$i].figures as $p
    | {name: $m.name, parameters: $p.params,
       memory: {predicted: $p["memory.plan"], measured: $m.peak_bytes},
       tok_s: {predicted: $p.tok_s, measured: $m.tok_s, ratio: ($m.tok_s / $p.tok_s)},
       gflops: $m.gflops, steps: $m.steps, loss: $m.loss}' >"$work/table"
if [ -n "$json" ]; then
    cat "$work/table"
    exit
fi
{
    printf '%s\t' configuration parameters 'MiB planned' measured 'tok/s predicted' measured ratio \
        GFLOP/s steps loss
    echo
    jq -r 'def places(n): . * pow(10; n) | round / pow(10; n);
        [.name, .parameters, (.memory.predicted / 1048576 | round),
         (.memory.measured / 1048576 | round), (.tok_s.predicted | round),
         (.tok_s.measured | round), (.tok_s.ratio | places(2)), (.gflops | places(1)), .steps,
         (.loss | places(3))] | @tsv' "$work/table"
} | column -t -s $'\t'
[ $# -gt 1 ] || exit 0
jq -rs 'def places(n): . * pow(10; n) | round / pow(10; n);
    sort_by(.loss) | .[0] as $best | "", "\($best.name) has the lowest loss, \($best.loss | places(3)):",
    (.[1:][] | "  \(.loss - $best.loss | places(3)) below that of \(.name), at " +
               "\($best.tok_s.measured / .tok_s.measured | places(2)) times its tok/s")' "$work/table"
