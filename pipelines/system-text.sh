#!/usr/bin/env bash
# Collect English prose that this machine already has: manual pages, documentation, the perl
# modules' pod, licences. See --help.
set -euo pipefail

usage()
{
    cat <<'TEXT'
usage: system-text.sh FOLDER [BYTES]

Writes FOLDER/00000.txt and so on, one document a file, up to BYTES (default: 8M). Those of
an earlier run are removed, and no other files. The choice is the same each time. On a machine without
documentation there is at least this project's own, which is repeated until it is enough to train on.

Example:
  system-text.sh corpus 2M
TEXT
}

[ "${1:-}" = --help ] && { usage; exit 0; }
if [ $# -lt 1 ] || [ $# -gt 2 ]; then
    usage >&2
    exit 2
fi
folder=$1
limit=$(numfmt --from=iec "${2:-8M}")
project=$(cd "$(dirname "$0")/.." && pwd)

candidates()
{
    local places=(/usr/share/man/man[1-8] /usr/share/doc /usr/share/perl /usr/share/info
        /usr/share/common-licenses "$project/README.md" "$project/CONTRIBUTING.md" "$project/man"
        "$project/lib")
    find "${places[@]}" -type f -size +1k -size -400k \( -name '*.[1-8].gz' -o -name '*.[1-8]' \
        -o -name '*.[1-8].in' -o -iname 'README*' -o -name 'NEWS*' -o -name '*.txt' \
        -o -name '*.txt.gz' -o -name '*.md' -o -name '*.md.gz' -o -name '*.rst' -o -name '*.info*' \
        -o -name '*.pod' -o -name '*.pm' -o -path '*/common-licenses/*' -o -name '*.h' \) \
        2>/dev/null | LC_ALL=C sort | shuf --random-source=<(yes)
}

# From names of files to numbered documents: paragraphs of prose without the mark-up of roff, mdoc
# and pod. A paragraph needs a few words and nearly only letters; a document is dropped when its
# share of "the" shows that it is not English.
gather()
{
    LC_ALL=C awk -v folder="$folder" -v limit="$limit" -v quote="'" '
    function flush_paragraph(    letters, count, words)
    {
        gsub(/\\f(\(..|.)|\\[&|^c]|[BCEFILX]<+ ?| ?>/, "", paragraph)
        gsub(/\\(\(aq|\(cq|\[aq\]|\[cq\]|.)/, quote, paragraph)
        gsub(/  +/, " ", paragraph)
        letters = paragraph
        gsub(/[^A-Za-z ,.]/, "", letters)
        count = split(paragraph, words, " ")
        if (count >= 8 && length(letters) > 0.93 * length(paragraph)) {
            total += count
            the += gsub(/ the /, " the ", paragraph)
            text = text paragraph "\n\n"
        }
        paragraph = ""
    }

    # Macros that set words in another type are part of the sentence; any other ends a paragraph.
    function add_line(line,    glue)
    {
        if (line ~ /^\.(B|I|R|BR|BI|RB|RI|IR|IB|SM|Nm|Fn|Xr|Ar|Fl|Em|Cm|Va|Dv|Pa) /) {
            glue = line ~ /^\.[BRI][BRI] / ? "" : " "
            sub(/^\.[A-Za-z]+ /, "", line)
            if (glue == "")
                gsub(/ /, "", line)
            gsub(/"/, "", line)
        } else if (index(".=" quote, substr(line, 1, 1)) || line ~ /^[ \t\r]*$/) {
            flush_paragraph()
            return
        }
        sub(/^[ \t*#"%;\/-]+/, "", line)
        sub(/[ \t\r]+$/, "", line)
        gsub(/\\-/, "-", line)
        paragraph = paragraph (paragraph == "" ? "" : " ") line
    }

    {
        gsub(quote, quote "\\" quote quote)
        command = "exec gzip -cdfq -- " quote $0 quote " 2>/dev/null"
        text = paragraph = ""
        total = the = 0
        while ((command | getline line) > 0)
            add_line(line)
        close(command)
        flush_paragraph()
        if (total < 60 || the < 0.03 * total)
            next
        out = sprintf("%s/%05d.txt", folder, count++)
        printf "%s", text > out
        close(out)
        bytes += length(text)
        if (bytes >= limit)
            exit
    }'
}

mkdir -p "$folder"
shopt -s nullglob
digits='[0-9][0-9][0-9][0-9][0-9]'
# shellcheck disable=SC2206 # $digits is a pattern
earlier=("$folder"/$digits.txt "$folder"/$digits-[0-9]*.txt)
[ ${#earlier[@]} -eq 0 ] || rm -f "${earlier[@]}"
candidates | gather || true # find and shuf are ended early when there is enough

# Too little for a batch: the same documents again, under other names.
# shellcheck disable=SC2206
documents=("$folder"/$digits.txt)
[ ${#documents[@]} -gt 0 ] || { echo "system-text.sh: no English text found" >&2; exit 1; }
bytes=$(cat "${documents[@]}" | wc -c)
enough=$((limit < 400000 ? limit : 400000))
for ((copy = 1; bytes * copy < enough; copy++)); do
    for file in "${documents[@]}"; do
        cp "$file" "${file%.txt}-$copy.txt"
    done
done
echo "${#documents[@]} documents, $(numfmt --to=iec "$bytes") of English text in $folder"
