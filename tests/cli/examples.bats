# What is installed beside the programs for others to read streams with: the description for file(1), and
# the reader in Python, held against wcat.
bats_require_minimum_version 1.5.0
load tiny

setup_file()
{
    make_tiny
    wgram learn -q -n 3 -o tiny.counts tiny.tokens
    wgram add -q -m tiny.counts -o counted.tokens tiny.tokens
    wbatch -q -c tiny.json -o counted.batches counted.tokens
    cat tiny.tokens tiny.tokens >two.tokens
    wbatch -q -c tiny.json --split val --val-fraction 1 -o val.batches counted.tokens
    wcat copy -q --level 0 -o stored.tokens tiny.tokens
}

setup()
{
    cd "$BATS_FILE_TMPDIR" || exit 1
    examples=$BATS_TEST_DIRNAME/../../examples
    for python in /usr/bin/python3 python3 ''; do
        [ -z "$python" ] || ! "$python" -c 'import numpy' 2>/dev/null || break
    done
}

need_numpy()
{
    [ -n "$python" ] || skip "THE READER IN PYTHON NOT TESTED: python3-numpy is not installed"
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

@test "the reader in Python reads what wcat reads, of every kind, codec and filter" {
    need_numpy
    for file in {tiny,counted}.{tokens,batches} val.batches tiny.counts tiny.wts two.tokens stored.tokens; do
        echo "$file"
        PYTHONPATH=$examples "$python" -B - "$file" >got <<'PY'
import sys, wts
for header, records in wts.read(open(sys.argv[1], 'rb')):
    sys.stdout.buffer.write(records.tobytes())
PY
        wcat raw "$file" | cmp - got
    done
    # What that was made of: frames stored, with filter 1, with filter 2 (bytes 9 and 10 of a frame).
    for file in stored.tokens:0000 tiny.tokens:0101 counted.tokens:0102 counted.batches:0102; do
        at=$(wcat "${file%:*}" | jq -s '[.[] | select(.type == "D")][0].offset')
        [ "$(tail -c +$((at + 10)) "${file%:*}" | head -c 2 | od -An -tx1 | tr -d ' ')" = "${file#*:}" ]
    done
}

@test "the reader in Python gives the arrays of a model by name" {
    need_numpy
    wmodel export -q -f npy -o exported tiny.wts
    PYTHONPATH=$examples "$python" -B - <<'PY'
import numpy, wts
ours, other = wts.tensors(open('tiny.wts', 'rb')), numpy.load('exported/wte.weight.npy')
assert ours['wte.weight'].shape == (300, 16)
assert (ours['wte.weight'] == other).all()
# Arrays of any length, so that what follows them is aligned.
assert wts.tensors(open('tiny.counts', 'rb'))['1.count'].shape == (300,)
PY
    run -0 "$python" -B "$examples/wts.py" tiny.wts counted.batches
    [[ $output == *$'wte.weight\tfloat32\t[300, 16]'* ]]
    [[ $output == *$'ctx\tuint8\t[687, 4, 17, 8]'* ]]
}

@test "the reader in Python undoes the ids of the page's example" {
    need_numpy
    PYTHONPATH=$examples "$python" -B - <<'PY'
import numpy, wts
data = bytes.fromhex('08 01 0500 0407040000 bc')
def ids(data, dtype='<u2', n=5):
    return numpy.frombuffer(wts.undo_ids(data, n * int(dtype[2]), numpy.dtype(dtype)), dtype).tolist()
assert ids(data) == [5, 700, 5, 700, 5]
assert ids(bytes.fromhex('08 01 05000000 0407040000 bc'), '<u4') == [5, 700, 5, 700, 5]
assert ids(bytes.fromhex('0000 ff04'), n=2) == [251, 0]
# One byte less, one more, bits after the last, an id over 65535, more listed ids and bits than there may be.
for wrong in data[:-1], data + b'\0', bytes.fromhex('0701 0500 040a040000 bc'), \
        bytes.fromhex('0f00 0700000000 ff7f'), b'\0\xfd' + bytes(600), b'\x19' + data[1:], b'', b'\0':
    try:
        ids(wrong)
    except wts.Damaged:
        continue
    raise SystemExit('taken: ' + wrong.hex())
PY
}

@test "the reader in Python refuses every cut and every damaged byte of a stream" {
    need_numpy
    echo 'A short text, told twice: a short text.' | wtok encode -q -V tiny.vocab --no-provenance -o short.tokens
    PYTHONPATH=$examples "$python" -B - <<'PY'
import io, wts
whole = open('short.tokens', 'rb').read()
def refused(data):
    try:
        for _ in wts.read(io.BytesIO(data)):
            pass
    except wts.Damaged:
        return True
assert not refused(whole) and not refused(whole + whole)
assert refused(whole + b'x') and refused(whole + whole[:48])
for at in range(len(whole)):
    assert refused(whole[:at]), f'cut at {at}'
    assert refused(whole[:at] + bytes([whole[at] ^ 1 << at % 8]) + whole[at + 1:]), f'damaged at {at}'
PY
    head -c 1000 tiny.tokens >cut.tokens
    run -3 --separate-stderr "$python" -B "$examples/wts.py" cut.tokens
    [ "$stderr" = "wts.py: 'cut.tokens': truncated" ]
}
