# zsh_offers.zsh FOLDER LINE DIRECTORY: what zsh offers for LINE with the completions of FOLDER, a match a
# line. Completion works in an editor's widget alone, so that another zsh is given a terminal, and
# compadd, through which every match passes, writes them down.
zmodload zsh/zpty
zpty -b shell zsh -f -i
zpty -w shell "PS1=; cd ${(q)3}; fpath=(${(q)1} \$fpath); autoload -Uz compinit; compinit -u -D
compadd() {
    local -a found
    builtin compadd -O found \"\$@\"
    print -rl -- \"\${found[@]}\" >>offers
    builtin compadd \"\$@\"
}
zle -C offers complete-word _main_complete; bindkey '^X' offers
finished() { : >offered; }; zle -N finished; bindkey '^Y' finished
: >offers; : >ready"
cd $3
wait_for() { repeat 300; do [[ -e $1 ]] && return; sleep 0.02; done; exit 1 }
rm -f offers offered ready
wait_for ready
zpty -w -n shell "$2"$'\x18'$'\x19'
wait_for offered
zpty -d shell
grep . offers
