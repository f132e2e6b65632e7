#!/usr/bin/env bash
# Draw the loss of one or more logs of wtrain. See --help.
set -euo pipefail

usage()
{
    cat <<'TEXT'
usage: plot-loss.sh [-o FILE.png] LOG.jsonl...

Draws loss against tokens for logs that wtrain --log wrote: training as lines, smoothed over 20
steps, validation as points. On the terminal, or into a PNG. Needs jq and gnuplot.

Examples:
  plot-loss.sh wiki.jsonl
  plot-loss.sh -o compare.png fast.jsonl cache.jsonl
TEXT
}

output=
while [ $# -gt 0 ]; do
    case $1 in
    --help) usage; exit 0 ;;
    -o) output=${2:?-o needs a file}; shift 2 ;;
    -*) usage >&2; exit 2 ;;
    *) break ;;
    esac
done
[ $# -gt 0 ] || { usage >&2; exit 2; }
for program in jq gnuplot; do
    command -v "$program" >/dev/null || { echo "plot-loss.sh: $program is not installed" >&2; exit 4; }
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
plots=()
number=0
for log; do
    number=$((number + 1))
    title=$(basename "$log" .jsonl)
    # The mean of the last 20 losses; a run that was resumed may tell a step twice: the last counts.
    jq -rn '[inputs | select(.t == "step")] | group_by(.step) | map(.[-1]) as $s
        | range($s | length) as $i | $s[([0, $i - 19] | max):$i + 1]
        | [.[-1].tokens, (map(.loss) | add / length)] | @tsv' "$log" >"$work/$number.train"
    jq -r 'select(.t == "eval") | [.tokens, .loss] | @tsv' "$log" >"$work/$number.val"
    [ -s "$work/$number.train" ] || { echo "plot-loss.sh: $log: no steps in it" >&2; exit 3; }
    plots+=("'$work/$number.train' with lines lc $number title '${title//_/ }'")
    [ ! -s "$work/$number.val" ] ||
        plots+=("'$work/$number.val' with points pt 7 lc $number title '${title//_/ } validation'")
done

if [ -n "$output" ]; then
    terminal="set terminal png size 1000,600; set output '$output.tmp'"
else
    terminal="set terminal dumb size ${COLUMNS:-79},${LINES:-24}"
fi
joined=$(printf ', %s' "${plots[@]}")
gnuplot -e "$terminal; set xlabel 'tokens'; set ylabel 'loss (nats per token)'; set grid;
    set format x '%.0s%c'; plot ${joined:2}"
[ -z "$output" ] || mv "$output.tmp" "$output"
