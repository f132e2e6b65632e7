# wtok read-ids, write-ids: token files of other trainers, out and in.
load tiny

@test "what goes out comes in, for nanoGPT and llm.c, in one file and in shards" {
    for format in nanogpt llmc; do
        for shards in '' '--shard-tokens 10k'; do
            rm -f ids*
            # shellcheck disable=SC2086
            wtok write-ids -q -f $format $shards -o ids.bin tiny.tokens
            wtok read-ids -q -V tiny.vocab -o back.tokens ids*.bin
            cmp <(wcat raw tiny.tokens) <(wcat raw back.tokens)
            cmp <(wtok decode tiny.tokens) <(wtok decode back.tokens)
            [ "$(wcat back.tokens | tail -n 1 | jq -c '[.end.docs,.end.max,.end.text_bytes]')" = \
                "$(wcat tiny.tokens | tail -n 1 | jq -c '[.end.docs,.end.max,.end.text_bytes]')" ]
        done
        [ -e ids_000005.bin ] && [ ! -e ids_000006.bin ]
    done
    wbatch -q -c tiny.json --no-provenance -o b1 tiny.tokens
    wbatch -q -c tiny.json --no-provenance -o b2 back.tokens
    cmp b1 b2
}

@test "nanoGPT's file is the ids alone, and may be piped" {
    wtok write-ids -q <tiny.tokens | cmp - <(wcat raw tiny.tokens)
    wcat raw tiny.tokens | wtok read-ids -q -V tiny.vocab | wcat raw | cmp - <(wcat raw tiny.tokens)
}

@test "llm.c has a head, and the id that ends documents before each" {
    wtok write-ids -q -f llmc -o ids.bin tiny.tokens
    [ "$(od -An -td4 -N16 ids.bin | tr -s ' ')" = " 20240520 1 $(wcat --what stats tiny.tokens | jq .records) 0" ]
    [ "$(od -An -tu2 -j1024 -N2 ids.bin | tr -d ' ')" -eq 299 ]
    [ "$(tail -c 2 ids.bin | od -An -tu2 | tr -d ' ')" -ne 299 ]
    run -2 --separate-stderr wtok write-ids -f llmc - <tiny.tokens
    run -2 --separate-stderr wtok write-ids -f llmc < <(cat tiny.tokens)
    [[ $stderr == *'not a pipe'* ]]
}

@test "more than 65,536 ids are u32" {
    {
        printf '{"type":"bpe","split":"gpt2","size":65793,"unused":65536,"merges":"",'
        printf '"specials":["<|endoftext|>"],"special_ids":"65792"}\n'
    } >large.vocab
    wtok encode -q -V large.vocab -o large.tokens text/1.txt
    wtok write-ids -q -o large.bin large.tokens
    [ "$(tail -c 4 large.bin | od -An -tu4 | tr -d ' ')" -eq 65792 ]
    wtok write-ids -q -f llmc -o large.llmc large.tokens
    [ "$(od -An -td4 -N8 large.llmc | tr -s ' ')" = ' 20240801 7' ]
    for file in large.bin large.llmc; do
        wtok read-ids -q -V large.vocab -o back.tokens $file
        cmp <(wcat raw large.tokens) <(wcat raw back.tokens)
    done
    run -3 --separate-stderr wtok read-ids -V tiny.vocab large.llmc
    [[ $stderr == *'4 bytes'* ]]
}

@test "what is no such file, or of another vocabulary, is refused" {
    wtok write-ids -q -f llmc -o ids.bin tiny.tokens
    for bytes in 2000 1001 1024; do
        run -3 --separate-stderr wtok read-ids -V tiny.vocab <(head -c $bytes ids.bin)
    done
    run -3 --separate-stderr wtok read-ids -f llmc -V tiny.vocab <(wcat raw tiny.tokens)
    [[ $stderr == *'no shard of llm.c'* ]]
    run -3 --separate-stderr wtok read-ids -V tiny.vocab <(printf 'abc')
    [[ $stderr == *'within an id'* ]]
    run -3 --separate-stderr wtok read-ids -V tiny.vocab <(printf '\1\0\54\1')
    [[ $stderr == *'number 1 is 300'* ]]
    run -2 wtok read-ids ids.bin
    run -2 wtok write-ids --shard-tokens 5 tiny.tokens
    run -0 --separate-stderr wtok read-ids -V tiny.vocab -o back.tokens <(printf '\1\0\2\0')
    [[ $stderr == *'had no end'* ]]
    [ "$(wcat raw back.tokens | od -An -tu2 | tr -s ' ')" = ' 1 2 299' ]
    # As many ids as fit into the reader's buffer, and no more.
    head -c 262144 /dev/zero | wtok read-ids -q -V tiny.vocab -o back.tokens
    [ "$(wcat --what stats back.tokens | jq .records)" -eq 131073 ]
}
