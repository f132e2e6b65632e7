# man/completion_fish.awk: the fish completion of a program, made from its option tables (see man/completion).

function quoted(text)
{
    gsub(/[\\']/, "\\\\&", text)
    return "'" text "'"
}
# What a help says first.
function summary(text)
{
    sub(/[.;] .*/, "", text)
    sub(/\.$/, "", text)
    return text
}
# The condition that the command line is one of a command, or of the program alone.
function condition(command)
{
    if (commands == "")
        return ""
    return " -n " quoted("__" program "_command " (command != "" ? command : "none"))
}
$1 == "command" {
    commands = commands " " $2
    names[++name_count] = $2
    help[$2] = $3
    if ($4 == "default")
        dflt = $2
}
$1 == "option" {
    line = ($3 != "" ? " -s " $3 : "") " -l " $2
    # -x: an argument, but no file; -r: an argument, for which files are offered. One in brackets can
    # only follow in the same word, and fish offers nothing for it.
    gsub(/\|/, " ", $5)
    if ($4 in offered)
        line = line ($4 ~ /FILE/ ? " -r" : " -x") " -a " quoted(offered[$4])
    else if ($5 != "")
        line = line " -x -a " quoted($5)
    else if ($4 ~ /FILE|DIR/)
        line = line " -r"
    else if ($4 != "" && index($4, "[=") != 1)
        line = line " -x"
    options[++option_count] = line " -d " quoted(summary($7))
    of[option_count] = command
}
END {
    print "# fish completion for " program
    if (commands != "") {
        print "function __" program "_command"
        print "    set -l words (commandline -opc)"
        print "    if set -q words[2]; and contains -- $words[2]" commands
        print "        test $argv[1] = $words[2]"
        print "    else"
        print "        test $argv[1] = none"
        print "    end\nend"
        print "function __" program "_first"
        print "    test (count (commandline -opc)) -eq 1\nend"
        # Where a command has to stand, there is no file, unless one is understood.
        print "complete -c " program " -n __" program "_first" (dflt == "" ? " -f" : "")
        for (i = 1; i <= name_count; i++)
            print "complete -c " program " -n __" program "_first -a " names[i] " -d " quoted(help[names[i]])
    }
    for (i = 1; i <= option_count; i++) {
        if (dflt != "" && of[i] == "") # those of the program alone are among the default command's
            continue
        print "complete -c " program condition(of[i]) options[i]
        if (dflt != "" && of[i] == dflt)
            print "complete -c " program condition("") options[i]
    }
}
