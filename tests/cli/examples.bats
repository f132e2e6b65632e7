# What is installed beside the programs for others to read streams with: the description for file(1).
bats_require_minimum_version 1.5.0
load tiny

setup_file()
{
    make_tiny
    wgram learn -q -n 3 -o tiny.counts tiny.tokens
}

setup()
{
    cd "$BATS_FILE_TMPDIR" || exit 1
    examples=$BATS_TEST_DIRNAME/../../examples
}

@test "file(1) says what kind of stream a file is, and who wrote it" {
    command -v file >/dev/null || skip "MAGIC NOT TESTED: file is not installed"
    for pair in tiny.tokens:tokens tiny.batches:batches tiny.wts:tensors tiny.counts:counts; do
        run -0 file -b -m "$examples/wtools.magic" "${pair%:*}"
        [[ $output == "wtools stream version 1, ${pair#*:}, by w"*" 0."* ]]
    done
    [[ $(file -b -i -m "$examples/wtools.magic" tiny.wts) == application/x-wtools-stream* ]]
    run -0 file -b -m "$examples/wtools.magic" tiny.vocab
    [[ $output != *stream* ]]
}
