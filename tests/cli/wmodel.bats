# wmodel: what is in a model, out to other programs and in again, and failures.
load tiny

weights() { wmodel info --json --tensors "$1" | jq -c .tensors; }

@test "info says shape, vocabulary and training, and the configuration trains again" {
    run -0 wmodel info tiny.wts
    [[ $output == *'1 layers of width 16, 2 heads, MLP of 32, 16 positions'* ]]
    [[ $output == *'300 ids'* ]]
    [[ $output == *'2 steps, 128 tokens'*'with the optimizer'* ]]
    [ "$(wmodel info --json tiny.wts | jq .state.tokens)" -eq 128 ]
    [ "$(wmodel info --json tiny.wts | jq -r .vocabulary.sha256)" = "$(wtok info tiny.vocab | jq -r .sha256)" ]
    wmodel info --config tiny.wts >again.json
    wtrain -q -c again.json --steps 2 -o again.wts tiny.batches
    cmp tiny.wts again.wts
    [ "$(wmodel info --tensors tiny.wts | wc -l)" -eq 21 ]
}

@test "out, in and out again are the same bytes, in each format and type" {
    for form in gguf:f32 gguf:f16 gguf:bf16 gguf:q8_0 safetensors:f32 safetensors:f16 safetensors:bf16 \
        npy:f32 npy:f16; do
        rm -rf one two
        wmodel export -q -f "${form%:*}" --type "${form#*:}" -o one tiny.wts
        wmodel import -q -o back.wts one
        wmodel export -q -f "${form%:*}" --type "${form#*:}" -o two back.wts
        diff -r one two
        wcat verify back.wts
    done
    run -2 wmodel export -f npy --type bf16 -o three tiny.wts
    [[ $output == *'cannot hold'* ]]
}

@test "a model that was out says the same text" {
    wsample -q -m tiny.wts -p The -n 12 --temperature 0 -j >before
    for format in gguf safetensors npy; do
        rm -rf out
        wmodel export -q -f "$format" -o out tiny.wts
        wmodel import -q -o back.wts out
        cmp before <(wsample -q -m back.wts -p The -n 12 --temperature 0 -j)
        cmp <(weights tiny.wts) <(weights out)
        cmp <(wtok export -V tiny.wts) <(wtok export -V back.wts)
    done
}

@test "a folder is what transformers asks for, and replaces nothing" {
    rm -rf hf
    wmodel export -q -f safetensors -o hf/ tiny.wts
    [ "$(ls hf | tr '\n' ' ')" = \
        'config.json generation_config.json model.safetensors tokenizer.json tokenizer_config.json ' ]
    [ "$(jq -r '.activation_function, .n_inner, .n_ctx, .eos_token_id' hf/config.json | tr '\n' ' ')" = \
        'gelu_new 32 16 299 ' ]
    # Matrices of blocks are (in, out) there, those of ids are not.
    tail -c +9 hf/model.safetensors | head -c "$(od -An -t u8 -N 8 hf/model.safetensors | tr -d ' ')" |
        jq -e '."transformer.h.0.attn.c_attn.weight".shape == [16, 48] and
            ."transformer.wte.weight".shape == [300, 16]'
    cmp hf/tokenizer.json <(wtok export -V tiny.vocab)
    run -2 wmodel export -f safetensors -o hf tiny.wts
    [[ $output == *'hf: exists'* ]]
    [ -z "$(find . -name '.hf*')" ]
    # vocab.json and merges.txt stand for tokenizer.json; without either there is no vocabulary.
    rm hf/tokenizer.json
    wtok export -f gpt2 -V tiny.vocab -o hf/vocab.json --merges hf/merges.txt
    wmodel import -q -o back.wts hf
    cmp <(wtok export -V tiny.wts) <(wtok export -V back.wts)
    rm hf/merges.txt
    run -0 --separate-stderr wmodel import -o back.wts hf
    [[ $stderr == *'no vocabulary'* ]]
    run -3 wsample -m back.wts -p The
    rm hf/config.json
    run -3 wmodel import -o back.wts hf
    [[ $output == *'no config.json'* ]]
}

@test "positions that llama.cpp does not take are told" {
    run -0 --separate-stderr wmodel export -f gguf -o out.gguf tiny.wts
    [[ $stderr == *'-c 16'* ]]
    run -0 --separate-stderr wmodel export -q -f gguf -o out.gguf tiny.wts
}

@test "a model of another program starts a run" {
    wmodel export -q -o out.gguf tiny.wts
    wmodel import -q -o back.wts out.gguf
    wtrain -q -c tiny.json --init back.wts --steps 1 -o more.wts tiny.batches
    run -3 wtrain --resume back.wts tiny.batches
    [[ $output == *'cannot be resumed'* ]]
}

@test "another vocabulary can be named, if it has no more ids" {
    wmodel export -q -o out.gguf tiny.wts
    wmodel import -q -V tiny.vocab -o back.wts out.gguf
    cmp <(wtok export -V tiny.vocab) <(wtok export -V back.wts)
    wtok train -q -n 310 -o large.vocab text
    run -3 wmodel import -V large.vocab -o back.wts out.gguf
    [[ $output == *'310 ids'*'300'* ]]
}

@test "what is no model is refused" {
    run -3 wmodel info tiny.tokens
    [[ $output == *'tokens, not a model'* ]]
    run -3 wmodel import -o x.wts tiny.wts
    [[ $output == *'none of the formats'* ]]
    run -4 wmodel info none.wts
    run -4 wmodel import -o x.wts none
    run -2 wmodel export -o x.gguf
    run -2 wmodel export tiny.wts
    run -2 wmodel info tiny.wts tiny.wts
    wmodel export -q -o out.gguf tiny.wts
    head -c 9000 out.gguf >cut.gguf
    run -3 wmodel import -o x.wts cut.gguf
    [[ $output == 'wmodel import: cut.gguf: '* ]]
    [ ! -e x.wts ]
}

@test "strip leaves the weights, as --weights-only does" {
    wmodel strip -q -o small.wts tiny.wts
    wtrain -q -c tiny.json --steps 2 --weights-only -o only.wts tiny.batches
    cmp <(wcat raw small.wts) <(wcat raw only.wts)
    [ "$(wmodel info --json small.wts | jq -c '[.optimizer_states, .state.step]')" = '[false,2]' ]
    cmp <(wsample -q -m tiny.wts -p The -n 9 -s 1) <(wsample -q -m small.wts -p The -n 9 -s 1)
}

@test "the average of models is that of their weights" {
    wtrain -q -c tiny.json --steps 5 -o other.wts tiny.batches
    wmodel average -q -o mean.wts tiny.wts other.wts
    paste <(wcat raw tiny.wts | od -An -v -tf4 -w4 | head -7000) \
        <(wcat raw other.wts | od -An -v -tf4 -w4 | head -7000) \
        <(wcat raw mean.wts | od -An -v -tf4 -w4 | head -7000) |
        awk '{ d = ($1 + $2) / 2 - $3; if (d * d > 1e-12) bad++ } END { exit bad > 0 || NR < 7000 }'
    wmodel average -q -o same.wts tiny.wts tiny.wts tiny.wts
    cmp <(weights same.wts) <(weights tiny.wts)
    wmodel positions 8 -q -o short.wts tiny.wts
    run -3 wmodel average -o mean.wts tiny.wts short.wts
    [[ $output == *'short.wts: has another shape'* ]]
    run -2 wmodel average -o mean.wts tiny.wts
}

@test "positions are cut and extended" {
    wmodel positions 8 -q -o short.wts tiny.wts
    cmp <(wsample -q -m tiny.wts -p The -n 5 --temperature 0 -j) \
        <(wsample -q -m short.wts -p The -n 5 --temperature 0 -j)
    wmodel positions 40 -q -o long.wts short.wts
    wmodel export -q -f npy -o long-npy long.wts
    tail -c $((40 * 16 * 4)) long-npy/wpe.weight.npy >rows
    cmp -n $((8 * 16 * 4)) rows <(tail -c +$((8 * 16 * 4 + 1)) rows)  # 8 rows, then again
    cmp -n $((32 * 16 * 4)) rows <(tail -c +$((8 * 16 * 4 + 1)) rows)
    run -2 wmodel positions 0 -o x.wts tiny.wts
    run -2 wmodel positions 8 tiny.wts
}

@test "ids are padded and cut, but not those of the vocabulary" {
    wmodel ids 320 -q -o padded.wts tiny.wts
    wmodel ids 300 -q -o cut.wts padded.wts
    cmp <(weights tiny.wts) <(weights cut.wts)
    [ "$(wmodel info --json padded.wts | jq .config.vocab_size)" -eq 320 ]
    wsample -q -m padded.wts -p The -n 5 -s 1
    wmodel export -q -o padded.gguf padded.wts
    wmodel import -q -o back.wts padded.gguf
    cmp <(weights padded.wts) <(weights back.wts)
    run -3 wmodel ids 299 -o x.wts tiny.wts
    [[ $output == *'has 300 ids'* ]]
}
