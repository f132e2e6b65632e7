# tools/packages: what a goal needs is checked before anything is compiled. The tests see machines
# that lack something through a PATH of their own.

setup()
{
    bats_require_minimum_version 1.5.0
    unset CC PKG_CONFIG # those of the make that runs the tests
    packages=$BATS_TEST_DIRNAME/../../tools/packages
    machine=$BATS_TEST_TMPDIR/bin
    mkdir "$machine"
    for program in sh env id jq; do
        ln -s "$(type -P $program)" "$machine"
    done
    ln -s "$(type -P true)" "$machine/cc"
    cp "$(type -P id)" "$BATS_TEST_TMPDIR/id.before"
}

# A program of the machine: its name, what it does. In the place of a link, never through it: root
# would overwrite the program itself.
has()
{
    rm -f "$machine/$1"
    printf '#!/bin/sh\n%s\n' "$2" >"$machine/$1"
    chmod +x "$machine/$1"
}

teardown()
{
    cmp "$(type -P id)" "$BATS_TEST_TMPDIR/id.before"
}

@test "a machine that has everything hears nothing" {
    run "$packages" --install build pipelines
    [ "$status" -eq 0 ]
    [ -z "$output" ]
}

@test "a compiler and a pkg-config of several words are commands with options" {
    CC='env cc -O1' PKG_CONFIG='pkg-config --static' run "$packages" --print build
    [ "$status" -eq 0 ]
    [ -z "$output" ]
}

@test "what is missing is named in one command, and nothing is installed without being asked" {
    has pkg-config '[ "$2" != libcjson ]'
    has apt-get "touch $BATS_TEST_TMPDIR/called"
    PATH=$machine run -1 "$packages" --print build pipelines
    [[ ${lines[-1]} == *"apt-get install"*" libcjson-dev"* ]]
    [[ $output != *libdeflate-dev* ]]
    [ ! -e "$BATS_TEST_TMPDIR/called" ]
}

@test "without pkg-config every library is asked for, and pkg-config first" {
    has apt-get :
    PATH=$machine CC=cc run -1 "$packages" --print build
    [[ $output == *"missing packages: pkg-config libdeflate-dev libcjson-dev libopenblas-dev zlib1g-dev liblzma-dev libzstd-dev libutf8proc-dev"* ]]
}

@test "root installs what is missing, with fresh lists when the first attempt fails" {
    has id 'echo 0'
    has apt-get 'echo "apt-get $*" >>'"$BATS_TEST_TMPDIR"'/calls
        case $1 in
        update) : >'"$BATS_TEST_TMPDIR"'/updated ;;
        install) [ -e '"$BATS_TEST_TMPDIR"'/updated ] && : >'"$BATS_TEST_TMPDIR"'/installed ;;
        esac'
    has pkg-config "[ -e $BATS_TEST_TMPDIR/installed ]"
    PATH=$machine CC=cc run -0 "$packages" --install build
    [ "$(cut -d' ' -f2 "$BATS_TEST_TMPDIR/calls" | tr '\n' ' ')" = "install update install " ]
}

@test "a user whose sudo asks for a password gets the command" {
    has id 'echo 1000'
    has sudo 'exit 1'
    has apt-get "touch $BATS_TEST_TMPDIR/called"
    has pkg-config 'exit 1'
    PATH=$machine run -1 "$packages" --install build
    [[ ${lines[-1]} == *"sudo apt-get install"* ]]
    [ ! -e "$BATS_TEST_TMPDIR/called" ]
}

@test "a machine without apt-get is told the names" {
    has pkg-config 'exit 1'
    PATH=$machine run -1 "$packages" --install build
    [[ $output == *libdeflate-dev* ]]
    [[ $output != *"apt-get"* ]]
}

@test "programs are hardened: PIE, full RELRO, guarded stacks, fortified calls, no code on the stack" {
    case ${BUILD##*/} in
    release) ;;
    *) skip "HARDENING NOT TESTED: a build with sanitizers has their checks instead" ;;
    esac
    # What leaves no name in a program stands in the flags, which everything was compiled with.
    grep -q -e ' -fstack-clash-protection' "$BUILD/flags"
    for program in "$BUILD"/w*; do
        [ -x "$program" ] || continue
        echo "$program"
        readelf -hW "$program" | grep 'Type: .*DYN (Position-Independent'
        readelf -lW "$program" | grep GNU_RELRO
        readelf -lW "$program" | grep 'GNU_STACK .* RW '
        readelf -dW "$program" | grep -w BIND_NOW
        symbols=$(readelf --dyn-syms -W "$program")
        grep -w __stack_chk_fail <<<"$symbols"
        grep -q -e ' -O0' "$BUILD/flags" || grep -E '__[a-z]+_chk@' <<<"$symbols"
    done
}
