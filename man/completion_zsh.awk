# man/completion_zsh.awk: the zsh completion of a program, made from its option tables (see man/completion).
# Options are specifications of _arguments, each a word in single quotes.

function quoted(text)
{
    gsub(/'/, "'\\''", text)
    return "'" text "'"
}
# What a help says first, as the text in brackets.
function explanation(text)
{
    sub(/[.;] .*/, "", text)
    sub(/\.$/, "", text)
    gsub(/[][\\]/, "\\\\&", text)
    return "[" text "]"
}
# What follows an option: a name for people, and what is offered in its place.
function argument(name, choices)
{
    if (name in offered) # a key is followed by its value
        return ":" name ":{" (name ~ /=/ ? "compadd -S \"\" - " offered[name] : "compadd - " offered[name] "; _files") "}"
    gsub(/^\[=|\]$/, "", name)
    if (choices != "") {
        gsub(/\|/, " ", choices)
        return ":" name ":(" choices ")"
    }
    if (name ~ /FILE/)
        return ":" name ":_files"
    return ":" name ":" (name ~ /DIR/ ? "_files -/" : " ")
}
$1 == "command" {
    commands = commands "        " quoted($2 ":" $3) "\n"
    if ($4 == "default")
        dflt = $2
}
$1 == "option" {
    after = explanation($7)
    may_be_empty = index($4, "[=") == 1 # its argument can only follow in the same word
    long = "--" $2
    if ($4 != "") {
        after = after (may_be_empty ? ":" : "") argument($4, $5)
        long = long "=" (may_be_empty ? "-" : "")
    }
    # Once, unless the help says otherwise; the letter and the name exclude each other.
    before = $7 ~ /more than once/ ? "*" : "(--" $2 ($3 != "" ? " -" $3 : "") ")"
    specs[command] = specs[command] " \\\n            " quoted(before long after)
    if ($3 != "")
        specs[command] = specs[command] " \\\n            " quoted(before "-" $3 ($4 != "" ? "+" : "") after)
}
END {
    if (dflt != "")
        specs[""] = specs[dflt]
    print "#compdef " program
    print "# zsh completion for " program
    print "_" program "()\n{"
    print "    local command="
    if (commands != "") {
        print "    local -a commands=(\n" commands "    )"
        print "    if ((CURRENT == 2)) && [[ $words[2] != -* ]]; then"
        print "        _describe -t commands command commands"
        print "        " (dflt != "" ? "_files\n        " : "") "return"
        print "    fi"
        print "    if ((CURRENT > 2)) && [[ -n ${commands[(r)$words[2]:*]} ]]; then"
        print "        command=$words[2]\n        shift words\n        ((CURRENT--))\n    fi"
    }
    print "    case $command in"
    for (i = 1; i <= count; i++)
        print "    " quoted(order[i]) ")\n        _arguments -s" specs[order[i]] " \\\n" \
            "            '*:FILE:_files'\n        ;;"
    print "    esac\n}"
    # The first use reads the file as the body of the function; when it is sourced, it is registered.
    print "if [[ $zsh_eval_context[-1] == loadautofunc ]]; then"
    print "    _" program " \"$@\"\nelse\n    compdef _" program " " program "\nfi"
}
