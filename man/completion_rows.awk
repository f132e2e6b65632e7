# man/completion_rows.awk: the rows of option tables that every shell's completion reads alike (see
# man/completion): what can be given for an argument, and whose options follow.
$1 == "offer" { offered[$2] = $3 }
$1 == "program" {
    split($2, word, " ")
    program = word[1]
    command = word[2]
    order[++count] = command
}
