# Manual pages, completions, and the tree that make install gives.
bats_require_minimum_version 1.5.0
load tiny

setup_file()
{
    make_tiny
    make -s -C "$BATS_TEST_DIRNAME/../.." CONFIG="${BUILD##*/}" DESTDIR="$BATS_FILE_TMPDIR/tree" \
        PREFIX=/usr install
}

setup()
{
    cd "$BATS_FILE_TMPDIR" || exit 1
    bin=$PWD/tree/usr/bin
    share=$PWD/tree/usr/share
}

page()
{
    mandoc -T ascii "$share/man/man${1##*.}/$1" | col -b
}

@test "every program has a page, and every page is clean" {
    for program in "$bin"/*; do
        [ -s "$share/man/man1/${program##*/}.1" ]
    done
    for name in wconf.5 wstream.5 wtlog.5 wtools.7; do
        [ -s "$share/man/man${name##*.}/$name" ]
    done
    mandoc -T lint -W warning "$share"/man/man*/*
}

@test "no page refers to one that is not there" {
    for file in "$share"/man/man*/*; do
        sed -n 's/^\.Xr \(w[a-z]*\) \([1-8]\).*/man\2\/\1.\2/p' "$file" | grep -v man2/ | while read -r target; do
            [ -e "$share/man/$target" ] || { echo "${file##*/}: $target"; return 1; }
        done
    done
}

@test "every option of --help is in the page, and every command" {
    for program in "$bin"/*; do
        name=${program##*/}
        text=$(page "$name.1")
        for command in '' $("$program" --dump-options | awk -F '\t' '$1 == "command" { print $2 }')
        do
            # shellcheck disable=SC2086
            for option in $("$program" $command --help | grep -oE '^ +(-[a-zA-Z], )?--[a-z-]+' |
                grep -oE -e '--[a-z-]+'); do
                grep -q -e "$option" <<<"$text" || { echo "$name $command $option"; return 1; }
            done
            grep -q -e "$name $command" <<<"$text"
        done
    done
}

@test "completions parse, offer options and choices" {
    for file in "$share"/bash-completion/completions/*; do
        bash -n "$file"
    done
    run bash -c "source $share/bash-completion/completions/wbatch
        COMP_WORDS=(wbatch --spl) COMP_CWORD=1; _wbatch; echo \"\${COMPREPLY[@]}\"
        COMP_WORDS=(wbatch --split v) COMP_CWORD=2; _wbatch; echo \"\${COMPREPLY[@]}\""
    PATH=$bin:$PATH
    [[ $output == *--split* ]]
    [[ $output == *val* ]]
    run bash -c "source $share/bash-completion/completions/wtok
        COMP_WORDS=(wtok enc) COMP_CWORD=1; _wtok; echo \"\${COMPREPLY[@]}\""
    [ "$output" = encode ]
    run bash -c "source $share/bash-completion/completions/wcat
        COMP_WORDS=(wcat cop) COMP_CWORD=1; _wcat; echo \"\${COMPREPLY[@]}\"
        COMP_WORDS=(wcat --wh) COMP_CWORD=1; _wcat; echo \"\${COMPREPLY[@]}\"
        COMP_WORDS=(wcat --what he) COMP_CWORD=2; _wcat; echo \"\${COMPREPLY[@]}\"
        COMP_WORDS=(wcat copy --wh) COMP_CWORD=2; _wcat; echo \"\${COMPREPLY[@]}\""
    [ "$output" = $'copy\n--what\nheader' ]
}

@test "a completion works after =, and after an option without an argument" {
    run bash -c "source $share/bash-completion/completions/wcachefit
        COMP_WORDS=(wcachefit plot --format = sv) COMP_CWORD=4; _wcachefit; echo \"\${COMPREPLY[@]}\"
        COMP_WORDS=(wcachefit --format =) COMP_CWORD=2; _wcachefit; echo \"\${COMPREPLY[@]}\"
        COMP_WORDS=(wcachefit --explain --js) COMP_CWORD=2; _wcachefit; echo \"\${COMPREPLY[@]}\"
        COMP_WORDS=(wcachefit se) COMP_CWORD=1; _wcachefit; echo \"\${COMPREPLY[@]}\""
    [ "${lines[0]}" = svg ]
    [ "${lines[1]}" = "text json md tsv" ] # of the default command
    [ "${lines[2]}" = --json ]
    [ "${lines[3]}" = search ]
}

@test "completions offer keys of the configuration, and known machines beside files" {
    keys=$("$bin/wcachefit" --dump-keys | cut -f 2 | sed 's/$/=/' | tr '\n' ' ')
    [[ $keys == 'd_model= '*' seed= '* ]]
    run bash -c "source $share/bash-completion/completions/wbatch
        source $share/bash-completion/completions/wcachefit
        COMP_WORDS=(wbatch --set '') COMP_CWORD=2; _wbatch; echo \"\${COMPREPLY[@]} \"
        COMP_WORDS=(wbatch --set = d_m) COMP_CWORD=3; _wbatch; echo \"\${COMPREPLY[@]}\"
        COMP_WORDS=(wcachefit search --target xe) COMP_CWORD=3; _wcachefit; echo \"\${COMPREPLY[@]}\"
        COMP_WORDS=(wcachefit search --target ./f) COMP_CWORD=3; _wcachefit; echo \"\${#COMPREPLY[@]}\""
    [ "${lines[0]}" = "$keys" ]
    [ "${lines[1]}" = d_model= ]
    [ "${lines[2]}" = xeon-8480 ]
    [ "${lines[3]}" = 0 ] # then bash offers files
    # Every name is one that the program knows.
    for name in $("$bin/wcachefit" host --list | cut -d ' ' -f 1); do
        grep -w -e "$name" "$share/fish/vendor_completions.d/wcachefit.fish" >/dev/null
        "$bin/wcachefit" host --target "$name" >/dev/null
    done
}

# What zsh would offer for a command line: zsh in a terminal of its own, that prints its matches.
zsh_offers()
{
    zsh -f "$BATS_TEST_DIRNAME/zsh_offers.zsh" "$share/zsh/site-functions" "$*" "$PWD"
}

@test "zsh offers commands, options, choices and files" {
    command -v zsh >/dev/null || skip "ZSH COMPLETIONS NOT TESTED: zsh is not installed"
    for program in "$bin"/*; do
        zsh -n "$share/zsh/site-functions/_${program##*/}"
    done
    PATH=$bin:$PATH
    [ "$(zsh_offers 'wtok enc')" = 'encode' ]
    zsh_offers 'wtok encode --vo' | grep -x -e '--vocab'
    [ "$(zsh_offers 'wbatch --split ' | sort | tr '\n' ' ')" = 'all train val ' ]
    [ "$(zsh_offers 'wcat --what=')" = $'auto\nsummary\nframes\nheader\nnotes\nstats' ] # of the default command
    zsh_offers 'wcat copy -' | grep -x -e '--output'
    zsh_offers 'wtok encode -V tiny.v' | grep -x tiny.vocab
    [ "$(zsh_offers 'wtrain --set d_m')" = d_model= ]
    zsh_offers 'wcachefit --target ' >machines
    grep -x raspberry-pi-5 machines
    grep -x tiny.json machines
}

@test "fish offers commands, options, choices and files" {
    command -v fish >/dev/null || skip "FISH COMPLETIONS NOT TESTED: fish is not installed"
    export HOME=$PWD XDG_CONFIG_HOME=$PWD/fish
    fish_offers()
    {
        fish -c "set fish_complete_path $share/fish/vendor_completions.d; complete -C \"$1\"" | cut -f1
    }
    for program in "$bin"/*; do
        fish -n "$share/fish/vendor_completions.d/${program##*/}.fish"
    done
    [ "$(fish_offers 'wtok enc')" = encode ]
    fish_offers 'wtok encode --vo' | grep -x -e '--vocab'
    run ! grep -e '--vocab' <(fish_offers 'wtok train --')
    [ "$(fish_offers 'wbatch --split ' | tr '\n' ' ')" = 'all train val ' ]
    [ "$(fish_offers 'wcat --what ' | tr '\n' ' ')" = 'auto frames header notes stats summary ' ]
    fish_offers 'wcat copy --' | grep -x -e '--output'
    fish_offers 'wtok encode -V tiny.v' | grep -x tiny.vocab
    [ "$(fish_offers 'wtrain --set d_m')" = d_model= ]
    fish_offers 'wcachefit --target ' >machines
    grep -x raspberry-pi-5 machines
    grep -x tiny.json machines
}

@test "no page and no completion is made of a program that fails" {
    mkdir -p broken
    cp "$bin/wcachefit" broken
    man=$BATS_TEST_DIRNAME/../../man
    for part in 'exit 1' '[ "$1" != encode ] || exit 1; exec "$REAL" "$@"'; do
        printf '#!/bin/sh\n%s\n' "$part" >broken/wtok
        chmod +x broken/wtok
        REAL=$bin/wtok run ! "$man/generate" broken "$man/wtok.1.in"
        for shell in bash zsh fish; do
            REAL=$bin/wtok run ! "$man/completion" $shell broken/wtok
        done
    done
    printf '#!/bin/sh\nexit 1\n' >broken/wcachefit
    chmod +x broken/wcachefit
    run ! "$man/generate" broken "$man/wconf.5.in"
}

@test "a folder with a space is installed into and left clean" {
    for goal in install uninstall; do
        make -s -C "$BATS_TEST_DIRNAME/../.." CONFIG="${BUILD##*/}" DESTDIR="$PWD/a tree" \
            PREFIX='/opt/w tools' $goal
        [ "$goal" = uninstall ] || [ -s "a tree/opt/w tools/share/man/man1/wtok.1" ]
    done
    [ -z "$(find 'a tree' -type f)" ]
}

@test "everything runs from the installed tree" {
    PATH=$bin:/usr/bin:/bin
    [ "$(command -v wtrain)" = "$bin/wtrain" ]
    wtok encode -V tiny.vocab text | wbatch -c tiny.json | wtrain -c tiny.json --steps 2 -o run.wts
    wsample -m run.wts -p The -n 5
    wcat --verify run.wts
    wcachefit "$share"/wtools/configs/*.json
}

@test "the installed rules for make train, and go on after a stop" {
    PATH=$bin:/usr/bin:/bin
    mkdir -p configs
    cp tiny.json configs
    printf '%s\n' 'W_TEXT := text' 'W_VOCAB_SIZE := 300' 'W_SAMPLE_COUNT := 5' 'W_EPOCHS := 2' \
        'W_TRAIN_FLAGS := --every-steps 50' 'W_VAL_FRACTION := 0.1' \
        "include $share/wtools/wtools.mk" >Makefile
    make -s work/tiny.sample
    [ -s work/tiny.sample ]
    mv work whole
    # The same, stopped by a signal as soon as there is a checkpoint.
    make -s work/tiny.wts &
    until [ -n "$(find work -name 'step-*')" ]; do sleep 0.02; done
    kill -TERM $!
    if wait $!; then return 1; fi
    [ ! -e work/tiny.wts ]
    make -s work/tiny.sample 2>err
    run ! grep 'starting a new run' err
    cmp whole/tiny.wts work/tiny.wts
    cmp whole/tiny.sample work/tiny.sample
}

@test "the installed rules take any prompt, leave no half target and no goal of their own" {
    PATH=$bin:/usr/bin:/bin
    mkdir -p rules/configs
    cp tiny.json rules/configs
    cd rules
    printf '%s\n' 'W_TEXT := ../text' 'W_PROMPT := It'"'"'s "so"' "include $share/wtools/wtools.mk" \
        'first:' '	@echo mine' >Makefile
    [ "$(make -s)" = mine ]
    make -n work/tiny.sample >said
    grep -F -- "-p 'It'\\''s \"so\"'" said
    run ! grep -E '>work/tiny\.(fit|sample|score)$' said
    printf '%s\n' 'own:' '	@echo own' "include $share/wtools/wtools.mk" >own.mk
    [ "$(make -s -f own.mk)" = own ]
}

@test "the installed rules make a model from a dump in one target" {
    PATH=$bin:/usr/bin:/bin
    mkdir -p configs dump
    cp tiny.json configs
    {
        printf '<mediawiki><siteinfo><base>http://t.example/wiki/M</base></siteinfo>\n'
        for file in text/*.txt; do
            printf "<page><title>%s</title><ns>0</ns><id>1</id><revision><text>\'\'\'" "$file"
            cat "$file"
            printf '</text></revision></page>\n'
        done
        printf '</mediawiki>\n'
    } | bzip2 >dump/tiny.xml.bz2
    printf '%s\n' 'W := from_dump' 'W_DUMP := dump/tiny.xml.bz2' 'W_VOCAB_SIZE := 300' \
        'W_VAL_FRACTION := 0.1' 'W_TRAIN_FLAGS := --steps 3' "include $share/wtools/wtools.mk" \
        >dump.mk
    make -s -f dump.mk from_dump/tiny.wts
    [ "$(wc -l <from_dump/text.jsonl)" -eq 40 ]
    wcat --verify from_dump/tiny.wts
}

@test "uninstall leaves nothing" {
    make -s -C "$BATS_TEST_DIRNAME/../.." CONFIG="${BUILD##*/}" DESTDIR="$PWD/tree" PREFIX=/usr \
        uninstall
    [ -z "$(find tree -type f)" ]
}
