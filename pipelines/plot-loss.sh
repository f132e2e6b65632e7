#!/usr/bin/env bash
# Draw the loss of one or more logs of wtrain. See --help.
set -euo pipefail

usage()
{
    cat <<'TEXT'
usage: plot-loss.sh [-o FILE.png|FILE.svg] LOG.jsonl...

Draws loss against tokens for logs that wtrain --log wrote: training as lines, smoothed over 20
steps, validation as points. Of several runs in a log the last is drawn, with the runs that it was
resumed from. Draws on the terminal, or into a PNG or SVG. Needs jq and gnuplot.

Examples:
  plot-loss.sh wiki.jsonl
  plot-loss.sh -o compare.png fast.jsonl cache.jsonl
TEXT
}

output=
while [ $# -gt 0 ]; do
    case $1 in
    --help) usage; exit 0 ;;
    -o) [ $# -ge 2 ] || { usage >&2; exit 2; }; output=$2; shift 2 ;;
    --) shift; break ;;
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
# The last run of a log, with the parts from which it was resumed; a killed run may leave half a line.
run='[inputs | fromjson? | objects]
    | .[(map(.t == "header" and .resumed == null) | rindex(true) // 0):]'
# The last line of a step counts: a resumed run may log a step again.
once='group_by(.step) | map(.[-1])'
plots=()
number=0
for log; do
    [[ $log != -* ]] || log=./$log
    number=$((number + 1))
    title=$(basename -- "$log" .jsonl)
    # Within quotes of gnuplot a quote is written twice; control characters cannot be quoted.
    title=${title//[[:cntrl:]_]/ }
    title=${title//\'/\'\'}
    # The mean of the last 20 losses.
    jq -Rrn "$run"' | map(select(.t == "step" and (.loss | type) == "number")) | '"$once"' as $s
        | range($s | length) as $i | $s[([0, $i - 19] | max):$i + 1]
        | [.[-1].tokens, (map(.loss) | add / length)] | @tsv' "$log" >"$work/$number.train"
    jq -Rrn "$run"' | map(select(.t == "eval")) | '"$once"'[] | [.tokens, .loss] | @tsv' \
        "$log" >"$work/$number.val"
    [ -s "$work/$number.train" ] || { echo "plot-loss.sh: $log: no steps in it" >&2; exit 3; }
    plots+=("'$number.train' with lines lc $number title '$title'")
    [ ! -s "$work/$number.val" ] ||
        plots+=("'$number.val' with points pt 7 lc $number title '$title validation'")
done

case $output in
'') terminal="set terminal dumb size ${COLUMNS:-79},${LINES:-24}" ;;
*.svg) terminal="set terminal svg size 860,520 background 'white'; set output 'picture'" ;;
*) terminal="set terminal png size 1000,600; set output 'picture'" ;;
esac
joined=$(printf ', %s' "${plots[@]}")
# Run in the work folder, so that only file names of our own are in the gnuplot code.
(cd "$work" && gnuplot -e "$terminal; set xlabel 'tokens'; set ylabel 'loss (nats per token)';
    set grid; set format x '%.0s%c'; plot ${joined:2}")
if [ -n "$output" ]; then # under a name that nobody else can have made, then renamed
    new=$(mktemp -d -- "$(dirname -- "$output")/.plot.XXXXXX")
    trap 'rm -rf "$work" "$new"' EXIT
    cp "$work/picture" "$new/picture"
    mv -- "$new/picture" "$output"
fi
