# The C library as other programs use it: compiled and linked by what pkg-config says of an installed tree.
bats_require_minimum_version 1.5.0
load tiny

setup_file()
{
    make_tiny
    tree=$BATS_FILE_TMPDIR/tree
    make -s -C "$BATS_TEST_DIRNAME/../.." CONFIG="${BUILD##*/}" DESTDIR="$tree" PREFIX=/usr install
    library=$tree/usr/lib/libwts.so.0
    export PKG_CONFIG_PATH=$tree/usr/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$tree
    export LD_LIBRARY_PATH=$tree/usr/lib
    cc="${CC:-cc} -std=c11 -pedantic -Wall -Wextra -Werror $(grep -oE -e ' -fsanitize=[a-z,]*' "$BUILD/flags" || :)"
    for name in wts_count wts_make; do
        # shellcheck disable=SC2046,SC2086
        $cc -o $name "$tree/usr/share/doc/wtools/examples/$name.c" $(pkg-config --cflags --libs wts)
    done
    export cc tree library
}

@test "the example counts the tokens that wcat shows" {
    ./wts_count tiny.tokens tiny.tokens >got
    wcat raw tiny.tokens | od -An -v -tu2 -w2 | sort -n | uniq -c | awk '{ print $2, 2 * $1 }' | cmp - got
    wtok encode -q -V tiny.vocab text | ./wts_count - | awk '{ print $1, 2 * $2 }' | cmp - got
}

@test "the example refuses what is cut, damaged, given up or something else, with status 3" {
    head -c 3000 tiny.tokens >cut
    run -3 --separate-stderr ./wts_count cut
    [[ -z $output && $stderr == 'cut: '*'ends inside a frame'* ]]
    { head -c 3000 tiny.tokens; printf x; tail -c +3002 tiny.tokens; } >damaged
    run -3 --separate-stderr ./wts_count tiny.tokens damaged
    [[ -z $output && $stderr == 'damaged: '*checksum* ]]
    run -3 --separate-stderr ./wts_count tiny.batches
    [ "$stderr" = 'tiny.batches: holds no tokens of 16 bits' ]
    run -3 --separate-stderr ./wts_count - < <(echo 1 2 x | ./wts_make 300 - 2>/dev/null)
    [ "$stderr" = 'standard input: aborted by wts_make: its input is no list of numbers' ]
    run -4 --separate-stderr ./wts_count missing
    [[ $stderr == 'missing: cannot open: '* ]]
}

@test "the example makes a stream that the programs take, or no file" {
    wcat raw tiny.tokens | od -An -v -tu2 -w2 >ids
    ./wts_make 300 made <ids
    wcat --verify made
    cmp <(wcat raw made) <(wcat raw tiny.tokens)
    wcat --what header made | jq -e '.by == "wts_make" and .vocab == 300 and .eot == 299'
    wbatch -q -c tiny.json -o made.batches made
    # The frames are those of the programs, after the header.
    cmp <(wcat made | jq -c 'select(.type == "D") | .stored') \
        <(wcat tiny.tokens | jq -c 'select(.type == "D") | .stored')
    run -3 ./wts_make 300 none <<<'1 300'
    [ "$output" = 'standard input: is no list of numbers below 300' ]
    [ ! -e none ]
    run -4 ./wts_make 300 no/such/folder <ids
    run -4 ./wts_make 300 /dev/full <ids
    run -2 ./wts_make 0 none
}

@test "the shared library has a name, and shows what the header declares and nothing else" {
    readelf -dW "$library" | grep -F 'Library soname: [libwts.so.0]'
    [ "$(readlink "$tree/usr/lib/libwts.so")" = libwts.so.0 ]
    grep -oE '\bwts_[a-z_]+\(' "$tree/usr/include/wts.h" | tr -d '(' | sort -u >declared
    [ "$(wc -l <declared)" -eq 13 ]
    for file in -D\ "$library" "$tree/usr/lib/libwts.a"; do
        # shellcheck disable=SC2086
        nm --defined-only --extern-only $file | awk 'NF == 3 { print $3 }' | grep -v -e '^__.san' -e '^\.' |
            sort | diff - declared
    done
    # Builds with a sanitizer are not hardened.
    grep -q fsanitize "$BUILD/flags" || readelf -dW "$library" | grep -w BIND_NOW
    run ! grep TEXTREL <(readelf -dW "$library")
    [ "$(pkg-config --modversion wts)" = "$(wcat --version | sed -n '1s/.* //p')" ]
}

@test "the header stands alone, in C and in C++" {
    echo '#include <wts.h>' >alone.c
    # shellcheck disable=SC2086
    $cc -x c -fsyntax-only -Wpedantic $(pkg-config --cflags wts) alone.c
    command -v c++ >/dev/null || skip "THE HEADER IN C++ NOT TESTED: there is no c++"
    # shellcheck disable=SC2046
    c++ -x c++ -std=c++11 -fsyntax-only -Wall -Wextra -Wpedantic -Werror $(pkg-config --cflags wts) alone.c
}

@test "the static library is enough" {
    # shellcheck disable=SC2046,SC2086
    $cc -o static "$tree/usr/share/doc/wtools/examples/wts_count.c" $(pkg-config --cflags wts) \
        -Wl,-Bstatic -L"$tree/usr/lib" -lwts -Wl,-Bdynamic \
        $(pkg-config --static --libs wts | sed 's/-lwts//')
    run ! grep libwts <(readelf -dW static)
    cmp <(./wts_count tiny.tokens) <(./static tiny.tokens)
}
