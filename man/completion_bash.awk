# man/completion_bash.awk: the bash completion of a program, made from its option tables (see man/completion).
$1 == "command" {
    commands = commands " " $2
    if ($4 == "default")
        dflt = $2
}
$1 == "option" {
    options[command] = options[command] " --" $2
    if ($4 == "" || index($4, "[=") == 1) # which can only follow in the same word
        next
    # What may follow an option: one of its choices, what is often given, or anything, for which files
    # are offered.
    pattern = command ":--" $2 ($3 != "" ? "|" command ":-" $3 : "")
    if (command != "" && command == dflt) # its options may follow the program alone
        pattern = pattern "|:--" $2 ($3 != "" ? "|:-" $3 : "")
    gsub(/\|/, " ", $5)
    if ($4 in offered)
        $5 = offered[$4]
    if ($5 != "") {
        values = values "    " pattern ") words=\"" $5 "\" ;;\n"
    } else
        files = files (files != "" ? " | " : "") pattern
}
END {
    if (dflt != "")
        options[""] = options[dflt]
    print "# bash completion for " program
    print "_" program "()\n{"
    print "    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}"
    print "    local command=\"\" words=\"\""
    # = is a word of its own to bash, and what is completed after it is empty.
    print "    if [[ $current == = ]]; then\n        current=\"\""
    print "    elif [[ $previous == = ]]; then\n        previous=${COMP_WORDS[COMP_CWORD - 2]}\n    fi"
    if (commands != "") {
        print "    case ${COMP_WORDS[1]} in"
        list = substr(commands, 2)
        gsub(/ /, " | ", list)
        print "    " list ") ((COMP_CWORD > 1)) && command=${COMP_WORDS[1]} ;;\n    esac"
    }
    print "    case $command:$previous in"
    printf "%s", values
    if (files != "")
        print "    " files ") ;;"
    print "    *)\n        case $command:$current in"
    for (i = 1; i <= count; i++)
        print "        " order[i] ":-*) words=\"" substr(options[order[i]], 2) "\" ;;"
    if (commands != "")
        print "        :*) ((COMP_CWORD == 1)) && words=\"" substr(commands, 2) "\" ;;"
    print "        esac\n        ;;\n    esac"
    print "    [[ $words == *= ]] && compopt -o nospace 2>/dev/null # a value is to follow"
    print "    # Without words of our own, the complete -o default below offers files."
    print "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")"
    print "}\ncomplete -o default -F _" program " " program
}
