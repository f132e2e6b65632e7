#!/usr/bin/env bash
# From text to the best model for the time: everything, from the vocabulary to a sample. See --help.
set -euo pipefail

usage()
{
    cat <<'TEXT'
usage: learn.sh [-t DURATION] [-o NAME] [-c CONFIG] [-n IDS] [-v TEXT] TEXT...

Learns from TEXT (files or folders) for DURATION in all: a vocabulary, counts of n-grams, and a network
whose size is chosen for the time and this machine; then measures how well they predict text that they have
not seen, and writes a sample. Leaves
  NAME.vocab  NAME.json (the configuration)  NAME.wts (the model)  NAME.counts  NAME.jsonl (the log)
  NAME.score  bits per byte: of the network alone, of the counts alone, of both, and of both with the
              counts going on along the text
and tokens and batches in NAME.work, which may be deleted.

  -t DURATION  time for everything: 60s, 5m, 2h; default: 5m
  -o NAME      name of what is made; default: learned
  -c CONFIG    train this configuration instead of choosing one
  -n IDS       size of the vocabulary; default: 16000
  -v TEXT      measure with this text; default: every tenth document of TEXT, which is kept apart

Interrupted, the same command goes on where it was: stages that are complete are not made again, and
the training is resumed.

Examples:
  learn.sh -t 5m wiki
  learn.sh -t 1h -o novels -v held-out.txt novels/*.txt
  wsample -m learned.wts --counts learned.counts --count-on -p 'The history of'
TEXT
}

duration=5m name=learned config='' ids=16000 held_out=''
while getopts t:o:c:n:v:-: option; do
    case $option in
    t) duration=$OPTARG ;;
    o) name=$OPTARG ;;
    c) config=$OPTARG ;;
    n) ids=$OPTARG ;;
    v) held_out=$OPTARG ;;
    -) [ "$OPTARG" = help ] || { usage >&2; exit 2; }; usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
    esac
done
shift $((OPTIND - 1))
[ $# -ge 1 ] || { usage >&2; exit 2; }

number=${duration%[smhd]}
case $duration in
*m) seconds=$((number * 60)) ;;
*h) seconds=$((number * 3600)) ;;
*d) seconds=$((number * 86400)) ;;
*) seconds=$number ;;
esac
began=$EPOCHREALTIME
project=$(cd "$(dirname "$0")/.." && pwd)
work=$name.work
mkdir -p "$work"

elapsed()
{
    awk -v now="$EPOCHREALTIME" -v began="$began" 'BEGIN { printf "%.1f\n", now - began }'
}

# stage TITLE FILE COMMAND...: make FILE by the command, unless it is there; tell what it took.
stage()
{
    local title=$1 file=$2 from
    shift 2
    [ -e "$file" ] && return
    from=$(elapsed)
    "$@"
    awk -v t="$title" -v from="$from" -v to="$(elapsed)" \
        'BEGIN { printf "%7.1f s  %s, %.1f s\n", to, t, to - from }' >&2
}

split_tokens()
{
    wtok encode -q -V "$name.vocab" -o "$work/all.tokens" -- "$@"
    if [ -n "$held_out" ]; then
        wtok encode -q -V "$name.vocab" -o "$work/val.tokens" -- "$held_out"
        mv "$work/all.tokens" "$work/train.tokens"
        return
    fi
    wcat split --split val -o "$work/val.tokens" "$work/all.tokens"
    wcat split --split train -o "$work/train.tokens" "$work/all.tokens"
}

add_columns()
{
    # Reading the counts takes most of the time of these two, and one thread.
    wgram add -q -m "$name.counts" -o "$work/val.frozen" "$work/val.tokens" &
    wgram add -q -m "$name.counts" --count-on -o "$work/val.on" "$work/val.tokens"
    wait $!
    wgram add -q -m "$name.counts" --leave-out -o "$work/train.counted" "$work/train.tokens"
}

# The rate that is predicted for a configuration, and another figure.
predicted()
{
    wcachefit --json "$1" | jq -r --arg f "$2" '.configs[0].figures | "\(.tok_s) \(.[$f])"'
}

# The configuration from which the most is learned in what is left of the time: by the rates that are
# predicted for this machine, and the scaling law of this recipe (wcachefit(1)). A tenth is left for
# validation at most, and half of that is taken here, since it is not known yet.
configure()
{
    local left tokens features
    if [ -n "$config" ]; then
        cp "$config" "$name.json"
        return
    fi
    left=$(awk -v all="$seconds" -v used="$(elapsed)" \
        'BEGIN { t = 0.95 * all - used; print (t < 1 ? 1 : t) "s" }')
    tokens=$(wcat "$work/train.tokens" | jq -s '.[-1].end.records')
    features=$(wcat --what header "$work/train.counted" |
        jq '.rec | map(select(.name == "ctx").shape[0])[0]')
    wcachefit search --time "$left" --vocab "$ids" --text-tokens "$tokens" \
        --set counts="$features" -o "$work/chosen.json" 2>"$work/search"
    head -n 1 "$work/search" >&2
    # A short text has to make a batch.
    jq --argjson n "$tokens" '.batch_size = ([.batch_size, ($n / (.max_length + 1) | floor)] | min
        | if . < 1 then 1 else . end)' "$work/chosen.json" >"$work/fitting.json"
    mv "$work/fitting.json" "$name.json"
}

# Predictions need measurements of this machine, which are kept for all later ones.
measure()
{
    read -r rate _ < <(predicted "$project/configs/demo.json" rows)
    [ "$rate" != null ] || wcachefit calibrate -q -o "$work/calibration.txt" --seconds "$(awk -v t="$seconds" \
        'BEGIN { s = t / 100; print (s < 1 ? 1 : (s > 7 ? 7 : s)) }')"
    touch "$work/measured"
}

# Validation runs twice, at 0.6 times the rate of training or faster: it saves the backward pass, but takes
# the softmax over all ids, most of the work of a narrow model. It takes a tenth of the time at most: of a
# longer text only the beginning is measured.
batches()
{
    local rate rows most
    read -r rate rows < <(predicted "$name.json" rows)
    most=$(awk -v rate="$rate" -v rows="$rows" -v t="$seconds" \
        'BEGIN { print int(1 + 0.6 * rate * t / 20 / rows) }')
    local all=(-q -c "$name.json" --split val --val-fraction 1 -n "$most")
    wbatch "${all[@]}" -o "$work/frozen.val" "$work/val.frozen"
    wbatch "${all[@]}" -o "$work/on.val" "$work/val.on"
    wcat "$work/on.val" | jq -s --argjson rows "$rows" --argjson rate "$rate" \
        '2 * .[-1].end.records * $rows / (0.6 * $rate)' >"$work/validation-seconds"
}

train()
{
    local part=$work/training
    # A resumed run has the time, and so the schedule, of the first.
    [ -e "$part" ] || awk -v all="$seconds" -v used="$(elapsed)" -v val="$(cat "$work/validation-seconds")" \
        'BEGIN { t = all - used - val - 3; print (t < 1 ? 1 : t) "s" }' >"$part"
    wbatch -q -c "$name.json" --epochs 0 "$work/train.counted" |
        wtrain -c "$name.json" --time "$(cat "$part")" --val "$work/frozen.val" --val "$work/on.val" \
            --log "$name.jsonl" --resume "$name.wts.ckpt" -o "$name.wts"
}

score()
{
    jq -s 'map(select(.t == "eval")) | .[-2:] | {
        bits_per_byte: {network: .[0].bits_per_byte, counts: .[0].bits_per_byte_counts,
            both: .[0].bits_per_byte_mixed, counting_on: .[1].bits_per_byte_mixed},
        bytes: .[0].eval_bytes, tokens: .[0].eval_tokens}' "$name.jsonl" >"$name.score.tmp"
    mv "$name.score.tmp" "$name.score"
}

stage 'a vocabulary' "$name.vocab" wtok train -q -n "$ids" -o "$name.vocab" -- "$@"
stage 'the text as tokens' "$work/train.tokens" split_tokens "$@"
stage 'counts of n-grams' "$name.counts" wgram learn -q -o "$name.counts" "$work/train.tokens"
stage 'what the counts say of the text' "$work/train.counted" add_columns
stage 'the speed of this machine' "$work/measured" measure
stage 'a configuration' "$name.json" configure
stage 'batches for validation' "$work/on.val" batches
stage 'training and validation' "$name.wts" train
stage 'the score' "$name.score" score
cat "$name.score"
wsample -q -m "$name.wts" --counts "$name.counts" --count-on -p 'The' -n 60 -s 1
echo
printf '%7.1f s  done\n' "$(elapsed)" >&2
