# wsample: the same text for the same command, nothing but text on standard output, and scores that
# agree with the log-probabilities of the samples.
# shellcheck disable=SC2086,SC2016

setup_file()
{
    bats_require_minimum_version 1.5.0
    cd "$BATS_FILE_TMPDIR" || return 1
    # A vocabulary of bytes alone: every text has one encoding.
    mkdir text
    for d in 1 2 3 4 5 6; do
        for i in $(seq 40); do
            echo "line $((i * d % 17)) of the king, the river and the town"
        done >text/$d
    done
    wtok train -q -n 257 -o vocab text
    echo '{"d_model": 16, "num_heads": 2, "num_layers": 2, "d_ff": 32, "vocab_size": 260,
        "batch_size": 4, "max_length": 32, "learning_rate": 0.01}' >c.json
    wtok encode -q -V vocab text | wbatch -q -c c.json -o batches
    wtrain -q -c c.json --steps 60 -o model.wts batches
    wtrain -q -c c.json --steps 0 -o untrained.wts batches
}

setup()
{
    cd "$BATS_FILE_TMPDIR" || return 1
    set -o pipefail
    model="-q -m model.wts"
}

@test "the same command gives the same text, for any number of threads" {
    wsample $model -p "the " -n 80 -t 1 >one
    wsample $model -p "the " -n 80 -t 2 >two
    wsample $model -p "the " -n 80 -s 1 >other
    cmp one two
    run ! cmp -s one other
    [ "$(wc -c <one)" -ge 20 ]
}

@test "the prompt comes first, byte for byte, unless it is not wanted" {
    printf 'a\0b\377\n\n' >prompt
    wsample $model --prompt-file prompt -n 10 >from_file
    wsample $model -p - -n 10 <prompt >from_stdin
    wsample $model --prompt-file prompt -n 10 --no-echo >sequel
    cmp from_file from_stdin
    cmp from_file <(printf 'a\0b\377\n'; cat sequel) # one newline at the end is not the prompt's
    wsample $model -n 10 >empty
    [ -s empty ]
}

@test "standard input is left alone unless it is asked for" {
    count=0
    while read -r _; do
        wsample $model -p "the" -n 2 >/dev/null
        count=$((count + 1))
    done < <(printf 'a\nb\nc\n')
    [ "$count" -eq 3 ]
}

@test "JSON says what the text says" {
    wsample $model -p "the " -n 30 --ignore-end --json --samples 2 >samples.json
    [ "$(jq -s length samples.json)" -eq 2 ]
    jq -es 'all(.[]; (.tokens | length) == 30 and (.logprobs | length) == 30 and .prompt == "the "
        and .end == "count" and all(.logprobs[]; . < 0))' samples.json
    # Bytes that are no UTF-8 are replaced in JSON: compare what a cautious sample says.
    wsample $model -p "the " -n 30 --ignore-end --temperature 0 --no-echo >plain
    wsample $model -p "the " -n 30 --ignore-end --temperature 0 --json | jq -j .text >from_json
    cmp plain from_json
    wsample $model -p "$(printf '\377x')" -n 1 --json | jq -e '.prompt == "\ufffdx"'
}

@test "temperature 0 is the most likely token" {
    wsample $model -p "line" -n 40 --temperature 0 -s 1 >greedy
    wsample $model -p "line" -n 40 --top-k 1 -s 2 >first
    cmp greedy first
}

@test "samples are separate, and each can be had again" {
    wsample $model -p "the" -n 12 --samples 3 --ignore-end --json | jq -c .tokens >three
    wsample $model -p "the" -n 12 --samples 5 --ignore-end --json | jq -c .tokens >five
    cmp three <(head -3 five)
    [ "$(sort -u five | wc -l)" -eq 5 ]
    [ "$(wsample $model -p "the" -n 12 --samples 3 --top-k 1 | grep -c -x -e ---)" -eq 2 ]
}

@test "what is made at the same time does not change a text, in any type" {
    # as JSON, whose probabilities show what is too little to change the text
    for type in f32 bf16 q8; do
        wsample $model --type $type -p "the " -n 50 --samples 7 -b 1 -t 1 --json >alone
        for how in "-b 7" "-b 3 -t 2" "-b 2"; do
            wsample $model --type $type -p "the " -n 50 --samples 7 $how --json >together
            cmp alone together
        done
        # Texts of several lengths: some begin while others go on
        printf '{"prompt": "the ", "count": %d}\n' 3 17 9 4 25 >lengths
        wsample $model --type $type --prompts lengths -b 1 --json >alone
        cmp alone <(wsample $model --type $type --prompts lengths -b 2 --json)
        # Beyond the length that the model can see, and with a prompt that is longer than that
        head -c 60 text/1 >long
        wsample $model --type $type --prompt-file long -n 60 --samples 3 -b 1 --ignore-end --json >alone
        wsample $model --type $type --prompt-file long -n 60 --samples 3 --ignore-end --json >together
        cmp alone together
    done 2>/dev/null
}

@test "prompts of a file are continued as each alone" {
    printf '%s\n' '{"prompt": "the ", "id": 7}' '' '"line 1"' \
        '{"prompt": "", "count": 3}' '{"prompt": "line", "stop": ["he", "in"]}' \
        '{"prompt": "line", "stop": "r"}' '{"prompt": "the king", "count": 0}' >p.jsonl
    wsample $model --prompts p.jsonl -n 20 --samples 2 --json >all.json
    [ "$(wc -l <all.json)" -eq 12 ]
    {
        wsample $model -p "the " -n 20 --samples 2 --json
        wsample $model -p "line 1" -n 20 --samples 2 --json
        wsample $model -n 3 --samples 2 --json
        wsample $model -p line -n 20 --stop he --stop in --samples 2 --json
        wsample $model -p line -n 20 --stop r --samples 2 --json
        wsample $model -p "the king" -n 0 --samples 2 --json
    } >each.json
    cmp <(jq -c 'del(.line)' all.json) <(jq -c . each.json)
    [ "$(jq .line all.json | uniq | tr '\n' ' ')" = "1 3 4 5 6 7 " ]
    cmp all.json <(wsample $model --prompts - -n 20 --samples 2 --json -b 5 <p.jsonl)
    # As text too, in their order
    wsample $model --prompts p.jsonl -n 20 >all.txt
    [ "$(grep -c -x -e --- all.txt)" -eq 5 ]
}

@test "lines are continued as they come, with the model kept" {
    printf 'the \n\n{"prompt": "line", "count": 5}\nthe king' >lines
    wsample $model -i -n 20 <lines >answers
    {
        wsample $model --no-echo -p "the " -n 20; echo
        wsample $model --no-echo -p "line" -n 5; echo
        wsample $model --no-echo -p "the king" -n 20; echo
    } >each
    cmp answers each
    wsample $model -i -n 20 --json --samples 2 <lines | jq -e .tokens >/dev/null
    # A line that cannot be read is told, and the next one goes on.
    run -0 --separate-stderr wsample $model -i -n 5 < <(printf '{"x"\n{"prompt": "line", "count": 5}\n')
    [ "$output" = "$(wsample $model --no-echo -p line -n 5)" ]
    [ -n "$stderr" ]
    run -2 wsample $model -i -p x
}

@test "a typed prompt ends with one Ctrl-D" {
    # What is typed comes from a pipe that stays open, so that its end does not help.
    timeout 20 script -qefc "wsample ${model/-q/} -n 5 --no-echo -p -" seen < <(sleep 1; printf 'line\n\004'; sleep 25)
    tr -d '\r' <seen | grep -q 'type a text, then Ctrl-D'
    tr -d '\r' <seen | grep -qF "$(wsample $model --no-echo -p line -n 5 | head -1)"
}

@test "Ctrl-C ends a sample, and the next line is continued" {
    # A job in the background ignores SIGINT, which env gives back; without --foreground timeout sends it to
    # the program and to its group, and the second one ends the program.
    local begins=5 # seconds until it has surely begun, with a sanitizer on a busy machine too
    [ -e "$BUILD/tests/inject.so" ] || begins=10
    (
        echo '{"prompt": "the ", "count": 1000000000}'
        sleep $((begins + 1))
        echo '{"prompt": "line", "count": 5}'
    ) | env --default-signal=INT timeout --foreground -s INT $begins wsample $model -i --ignore-end --json >interrupted || [ "$?" -eq 124 ]
    [ "$(jq -r .end interrupted | tr '\n' ' ')" = "signal count " ]
    cmp <(tail -1 interrupted) <(wsample $model -p line -n 5 --ignore-end --json)
}

@test "a random seed is told, and gives the text again" {
    wsample -m model.wts -p "the " -n 20 -s random >first 2>said
    seed=$(sed -n 's/^wsample: --seed //p' said)
    wsample $model -p "the " -n 20 -s "$seed" | cmp - first
    [ "$(for i in 1 2 3; do wsample $model -p "the " -n 20 -s random 2>/dev/null; echo; done | sort -u | wc -l)" -gt 1 ]
    run -2 wsample $model -s fast
}

@test "a file of prompts that is damaged is bad input" {
    for line in '{"prompt": 1}' '{"prompt": "a"' '{}' '[]' '{"prompt": "a", "count": -1}' \
        '{"prompt": "a", "stop": ""}' '{"prompt": "a", "stop": ["b", 1]}' '{"prompt": "a", "prompt": "b"}'; do
        printf '"good"\n%s\n' "$line" >bad.jsonl
        run -3 wsample $model --prompts bad.jsonl
        [[ $output == *"bad.jsonl: line 2: "* ]]
    done
    : >none.jsonl
    run -3 wsample $model --prompts none.jsonl
    run -4 wsample $model --prompts absent.jsonl
    run -2 wsample $model --prompts p.jsonl -p x
}

@test "a sample ends before a stop text, and at the end of the document" {
    wsample $model -p "line" -n 200 --stop "he" --stop "in" --temperature 0.3 --json >stopped
    jq -e '.end == "stop" and (.text | (contains("he") or contains("in")) | not)' stopped
    wsample $model -p "line" -n 200 --stop "he" --stop "in" --temperature 0.3 --no-echo >plain
    cmp plain <(jq -j .text stopped)
    # A single character that comes soon
    wsample $model -p "line" -n 200 --stop " " --no-echo >word
    run ! grep -q " " word
    # The end id is the last id, 256; it is drawn from a model that knows nothing.
    wsample -q -m untrained.wts -n 5000 --top-p 1 --temperature 1 --json >ended
    jq -e '.end == "end" and .tokens[-1] == 256 and (.tokens | index(256)) == (.tokens | length) - 1' ended
    wsample -q -m untrained.wts -n 2000 --top-p 1 --temperature 1 --ignore-end --json |
        jq -e '.end == "count" and (.tokens | index(256)) == null'
}

@test "a text continues beyond the length that the model can see" {
    wsample $model -p "the " -n 300 --ignore-end --json | jq -e '.tokens | length == 300'
    head -c 500 text/1 >long
    run -0 wsample $model --prompt-file long -n 5 --json
    [[ $output == *"the prompt has 501 tokens"* ]]
}

@test "the score of a text is the sum of its log-probabilities as a sample" {
    wsample $model --type f32 -n 31 --ignore-end --json -s 4 >s.json
    wsample $model --type f32 -n 31 --ignore-end --no-echo -s 4 >s.txt
    wsample $model --score s.txt --json >score.json
    jq -es '.[0].nats as $nats | .[1].logprobs | add | (. + $nats) | fabs < 0.001 * $nats' score.json s.json
    jq -e '.tokens == 31 and .bytes == 31' score.json
}

@test "the score counts every byte once, over many windows" {
    wsample $model --score text/1 --json -t 1 >one.json
    wsample $model --score - --json -t 2 <text/1 >two.json
    bytes=$(wc -c <text/1)
    jq -e --argjson bytes "$bytes" '.bytes == $bytes and .tokens == $bytes and .bits_per_token == .bits_per_byte
        and .bits_per_byte < 3' one.json
    cmp <(jq 'del(.file)' one.json) <(jq 'del(.file)' two.json)
    # A model that knows nothing needs log2 of the 260 ids for each.
    wsample -q -m untrained.wts --score text/1 --json | jq -e '(.bits_per_byte - (260 | log2)) | fabs < 0.05'
}

@test "documents are scored one by one, from text and from tokens" {
    printf '%s\n' '{"text": "the king"}' '{"text": "line 12 of the town"}' '{"text": ""}' \
        '{"text": "river"}' >d.jsonl
    wsample $model --score d.jsonl -f jsonl --documents --json >d.json
    [ "$(wc -l <d.json)" -eq 4 ]
    for i in 1 2 3; do
        jq -j "select(.document == $i) | .nats, \" \", .bytes, \"\n\"" d.json
    done >by_line
    for text in "the king" "line 12 of the town" river; do
        printf %s "$text" | wsample $model --score - --json | jq -j '.nats, " ", .bytes, "\n"'
    done >each
    cmp by_line each
    jq -es '(.[3].nats - (.[:3] | map(.nats) | add) | fabs < 1e-6) and .[3].documents == 3
        and .[3].bytes == 32' d.json
    wtok encode -q -V vocab -f jsonl d.jsonl -o d.tok
    wsample $model --score d.tok -f tokens --documents --json | cmp <(jq 'del(.file)' d.json) <(jq 'del(.file)')
    [ "$(wsample $model --score d.jsonl -f auto --documents | grep -c '^document ')" -eq 3 ]
    run -3 wsample $model --score d.jsonl -f tokens
    run -2 wsample $model -p x --documents
    wtok train -q -n 300 -o other.vocab text
    wtok encode -q -V other.vocab text/1 -o other.tok
    run -3 wsample $model --score other.tok -f tokens
}

@test "words are counted as the published figures count them" {
    printf ' a bc\nd  e\n\n' >words.txt
    wsample $model --score words.txt --json >w.json
    jq -e '.words == 4 and .lines == 3' w.json
    jq -e '(.nats / 4 | exp) as $p | (.word_perplexity - $p) | fabs < 1e-6 * $p' w.json
    jq -e '(.nats / 7 | exp) as $p | (.word_perplexity_lines - $p) | fabs < 1e-6 * $p' w.json
    [ "$(wsample $model --score words.txt | awk '$1 == "words" { print $2 }')" = 4 ]
    # Where there are none, there is no perplexity by them.
    printf '   ' | wsample $model --score - --json | jq -e '.words == 0 and (has("word_perplexity") | not)'
}

@test "top-p 0 is the most likely token, and a sample of any length ends at its stop text" {
    [ "$(wsample $model -p "line 1" -n 8 --top-p 0)" = "$(wsample $model -p "line 1" -n 8 --temperature 0)" ]
    run -0 wsample $model -p "line 1" -n 100G --stop king
}

@test "a reader that has enough ends it quietly" {
    wsample $model -n 100000 --ignore-end 2>said | head -c 50 >/dev/null
    [ ! -s said ]
    run -4 bash -c "wsample $model -n 10 >/dev/full"
}

@test "only text on standard output, speed on standard error" {
    wsample -m model.wts -p "the " -n 20 --ignore-end 2>said >text.out
    grep -q "20 tokens, .* tokens/s" said
    run ! grep -q $'\r' said
    cmp text.out <(wsample $model -p "the " -n 20 --ignore-end)
}

@test "a damaged model is bad input" {
    size=$(wc -c <model.wts)
    for keep in 0 40 300 $((size / 2)) $((size - 1)); do
        head -c "$keep" model.wts >damaged.wts
        run -3 wsample $model -m damaged.wts -n 1
    done
    for place in 20 100 $((size / 3)) $((size - 300)); do
        cp model.wts damaged.wts
        printf '\125' | dd of=damaged.wts bs=1 seek="$place" conv=notrunc status=none
        cmp -s model.wts damaged.wts || run -3 wsample $model -m damaged.wts -n 1
    done
    run -3 wsample -m batches -n 1
    run -3 wsample -m vocab -n 1
    run -4 wsample -m absent -n 1
    [[ $output == *absent* ]]
}

@test "mistakes are reported with what to do" {
    run -2 wsample -p x
    [[ $output == *"-m"* ]]
    run -2 wsample $model --prompt x --prompt-file y
    run -2 wsample $model --temprature 1
    [[ $output == *"--temperature"* ]]
    run -2 wsample $model --top-p 2
    run -2 wsample $model --stop ""
    run -2 wsample $model --batch 0
    run -2 wsample $model --type f16
    run -2 wsample $model something
    : >nothing
    run -3 wsample $model --score nothing
    run -4 wsample $model --score absent
}

@test "prompts and texts to score are normalised where the vocabulary says so" {
    wtok export -V vocab | jq -c '.normalizer = {type: "NFC"}' >nfc.json
    wtok import -q -o nfc.vocab nfc.json
    wtok encode -q -V nfc.vocab text | wbatch -q -c c.json -o nfc.batches
    wtrain -q -c c.json --steps 20 -o nfc.wts nfc.batches
    loose=$'cafe\u0301' normal=$'caf\u00e9'
    wsample -q -m nfc.wts -p "$loose" -n 20 --no-echo >text.loose
    wsample -q -m nfc.wts -p "$normal" -n 20 --no-echo >text.normal
    cmp text.loose text.normal
    jq -cn --arg a "$loose" --arg b "$normal" '$a, $b' >both.jsonl
    wsample -q -m nfc.wts --prompts both.jsonl -n 20 --temperature 0 --json |
        jq -es --arg loose "$loose" '.[0].tokens == .[1].tokens and .[0].prompt == $loose'
    printf %s "$loose" >loose.txt
    printf %s "$normal" >normal.txt
    cmp <(wsample -q -m nfc.wts --score loose.txt --json | jq '[.nats, .bytes]') \
        <(wsample -q -m nfc.wts --score normal.txt --json | jq '[.nats, .bytes]')
    # Without a normalizer the one is longer by a byte, which is a token.
    for text in loose normal; do
        wsample -q -m model.wts --score $text.txt --json | jq '[.bytes, .tokens]'
    done | jq -es '.[0][0] == .[1][0] + 1 and .[0][1] == .[1][1] + 1'
}
