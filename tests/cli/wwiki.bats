# wwiki: the same documents from a dump however it is packed, cut into writes or given to threads; what
# is left out, and counted; what is broken or hostile is refused with 3 and leaves no file.
bats_require_minimum_version 1.5.0

# page NS ID TITLE TEXT [MORE]: a page as MediaWiki writes it. TEXT and MORE are XML.
page()
{
    printf '  <page>\n    <title>%s</title>\n    <ns>%s</ns>\n    <id>%s</id>\n%s' "$3" "$1" "$2" "$5"
    printf '    <revision>\n      <id>9%s</id>\n      <contributor>\n        <username>A</username>\n' "$2"
    printf '        <id>77</id>\n      </contributor>\n      <comment>for &quot;%s&quot;</comment>\n' "$3"
    printf '      <model>wikitext</model>\n      <format>text/x-wiki</format>\n'
    printf '      <text bytes="9" xml:space="preserve">%s</text>\n      <sha1>x</sha1>\n' "$4"
    printf '    </revision>\n  </page>\n'
}

head_of_dump()
{
    cat <<'XML'
<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" version="0.11" xml:lang="en">
  <siteinfo>
    <sitename>Test</sitename>
    <base>https://test.example/wiki/Main_Page</base>
    <namespaces>
      <namespace key="-2" case="first-letter">Media</namespace>
      <namespace key="0" case="first-letter" />
      <namespace key="1" case="first-letter">Talk</namespace>
      <namespace key="6" case="first-letter">Bild</namespace>
    </namespaces>
  </siteinfo>
XML
}

# many FIRST LAST: pages of some sentences each
many()
{
    awk -v first="$1" -v last="$2" 'BEGIN {
        srand(first)
        n = split("the of and to in is was for on that by with as it from at his an are be", w, " ")
        for (id = first; id <= last; id++) {
            printf "  <page>\n    <title>Page %d</title>\n    <ns>0</ns>\n    <id>%d</id>\n", id, id
            printf "    <revision>\n      <id>1</id>\n      <model>wikitext</model>\n      <text>"
            for (i = 0; i < 300; i++)
                printf "%s%s", w[int(rand() * n) + 1], int(rand() * 30) ? " " : ".\n\n"
            print "number " id ".</text>\n    </revision>\n  </page>"
        }
    }'
}

setup_file()
{
    export DATA=$BATS_FILE_TMPDIR
    cd "$DATA" || return
    {
        head_of_dump
        page 0 1 'One &amp; "only"' "It's &lt;b&gt;bold&lt;/b&gt; &amp;amp; right."
        page 0 2 Two '#REDIRECT [[One]]' $'    <redirect title="One" />\n'
        page 1 3 Talk:One 'Talk about it.'
        page 0 4 Empty ''
        printf '<page><title>Short</title><ns>0</ns><id>5</id><revision><text bytes="0" /></revision></page>\n'
        printf '<page><title>Gone</title><ns>0</ns><id>6</id><revision><text deleted="deleted" /></revision></page>\n'
        page 0 7 Code 'body { color: red }' | sed 's/>wikitext</>css</'
        page 0 8 Last 'The last page.'
        echo '</mediawiki>'
    } >small.xml
    {
        head_of_dump
        many 1 1500
        echo '</mediawiki>'
    } >large.xml
    bzip2 -k1 large.xml # blocks of 100,000 bytes, in one stream
    {
        head_of_dump | bzip2
        for first in 1 401 801 1201; do
            many $first $((first + 399)) | bzip2
        done
        echo '</mediawiki>' | bzip2
    } >streams.xml.bz2
    bzcat streams.xml.bz2 >streams.xml
    wwiki -q -t 1 -o large.jsonl large.xml
    wwiki -q -t 1 -o streams.jsonl streams.xml
}

setup()
{
    cd "$DATA" || return
    set -o pipefail
}

@test "the pages that are wanted come out, the others are counted" {
    wwiki -q --log counts small.xml >got
    [ "$(jq -r .id got | tr '\n' ' ')" = '1 8 ' ]
    [ "$(head -n 1 got | jq -r .title)" = 'One & "only"' ]
    [ "$(head -n 1 got | jq -r .url)" = 'https://test.example/wiki?curid=1' ]
    [ "$(tail -n 1 got | jq -r .text)" = 'The last page.' ]
    jq -e '.pages == 8 and .other_namespace == 1 and .redirects == 1 and .other_models == 1 and
        .disambiguations == 0 and .empty == 3 and .documents == 2' counts
    [ "$(wwiki -q --namespace 1 small.xml | jq -r .title)" = Talk:One ]
    [ "$(wwiki -q --namespace 1 --namespace 0 small.xml | wc -l)" -eq 3 ]
}

@test "without a command it extracts" {
    wwiki -q small.xml | cmp - <(wwiki extract -q small.xml)
    wwiki -q -n 1 <small.xml | cmp - <(wwiki extract -q -n 1 small.xml)
}

@test "the same documents however a dump is packed" {
    [ "$(wc -l <large.jsonl)" -eq 1500 ]
    wwiki -q large.xml.bz2 | cmp - large.jsonl
    wwiki -q <large.xml.bz2 | cmp - large.jsonl
    wwiki -q <large.xml | cmp - large.jsonl
    for pack in gzip 'xz -T2 --block-size=100000' xz 'zstd -q'; do
        $pack <large.xml | wwiki -q | cmp - large.jsonl
        $pack <large.xml >packed
        for threads in 1 2 4; do
            wwiki -q -t $threads packed | cmp - large.jsonl
        done
        wwiki clean -q <large.jsonl | cmp - <($pack <large.jsonl | wwiki clean -q)
    done
    wwiki -q streams.xml.bz2 | cmp - streams.jsonl
    cat streams.xml.bz2 | wwiki -q | cmp - streams.jsonl
    iconv -f UTF-8 -t UTF-16 large.xml | wwiki -q | cmp - large.jsonl
    iconv -f UTF-8 -t UTF-16BE large.xml | { printf '\376\377' && cat; } | bzip2 | wwiki -q | cmp - large.jsonl
}

@test "what is no dump is refused, or left out of a folder, as is the output" {
    printf '7z\274\257\047\034\0\4' >dump.7z
    run -3 wwiki -q dump.7z
    [[ $output == *"dump.7z: 7z archive, not text: "* ]]
    mkdir dumps
    cp small.xml dump.7z dumps
    wwiki -q small.xml >small.jsonl
    run -0 wwiki -q -o dumps/out dumps
    [[ $output == *"warning: 1 file is no text and left out: 7z archive (dumps/dump.7z)" ]]
    run -0 wwiki -q -o dumps/out dumps
    [[ $output == *"warning: 2 files are no text and left out: 7z archive (dumps/dump.7z), the output (dumps/out)" ]]
    cmp dumps/out small.jsonl
}

@test "the same documents for any number of threads" {
    for threads in 1 2 3 8; do
        for dump in large.xml large.xml.bz2; do
            wwiki -q -t $threads $dump | cmp - large.jsonl
        done
        wwiki -q -t $threads streams.xml.bz2 | cmp - streams.jsonl
    done
}

@test "the same documents from a pipe that gives one byte at a time" {
    wwiki -q small.xml >expected
    dd bs=1 if=small.xml 2>/dev/null | wwiki -q | cmp - expected
    bzip2 -c small.xml | dd bs=1 2>/dev/null | wwiki -q | cmp - expected
}

@test "dumps may follow each other: files, folders, joined by cat" {
    cat large.jsonl streams.jsonl >both
    wwiki -q large.xml streams.xml.bz2 | cmp - both
    cat large.xml streams.xml | wwiki -q -t 3 | cmp - both
    cat large.xml.bz2 streams.xml.bz2 | wwiki -q -t 3 | cmp - both
    mkdir -p parts && cp large.xml.bz2 parts/1 && cp streams.xml parts/2
    wwiki -q parts | cmp - both
}

@test "wtok reads what wwiki writes, and gives the same text for each form" {
    wtok train -q -n 400 -o v large.jsonl
    wwiki -q large.xml | wtok encode -q -V v | wtok decode --separator $'\n\n\n' >from_jsonl
    wwiki -q -f plain large.xml | cmp - from_jsonl
    wwiki -q -f wiki large.xml | wtok encode -q -V v | wtok decode --separator $'\n\n\n' >from_blocks
    wwiki -q -f plain --title large.xml | cmp - from_blocks
    wwiki -q --title large.xml | wtok encode -q -V v | wtok decode --separator $'\n\n\n' | cmp - from_blocks
}

@test "a block is safe from what a page says" {
    {
        head_of_dump
        page 0 1 '&lt;doc "&amp;"&gt;' $'First.\n\n&lt;nowiki&gt;&lt;/doc&gt;&lt;/nowiki&gt;\n\nLast.'
        echo '</mediawiki>'
    } >nasty.xml
    wwiki -q -f wiki nasty.xml >nasty.txt
    [ "$(head -n 1 nasty.txt)" = '<doc id="1" url="https://test.example/wiki?curid=1" title="&lt;doc &quot;&amp;&quot;&gt;">' ]
    [ "$(grep -c '^</doc>$' nasty.txt)" -eq 1 ]
    wtok train -q -n 300 -o n nasty.txt
    wtok encode -q -V n nasty.txt | wtok decode | grep -q '^Last.$'
}

@test "-n ends after so many documents" {
    for threads in 1 3; do
        wwiki -q -t $threads -n 700 large.xml.bz2 >got
        head -n 700 large.jsonl | cmp - got
    done
    wwiki -q -n 1600 large.xml streams.xml >got
    { cat large.jsonl && head -n 100 streams.jsonl; } | cmp - got
}

@test "a dump that is broken after the last document that is wanted is read without an error" {
    head -c $(($(stat -c %s large.xml) * 9 / 10)) large.xml >cut
    run -3 wwiki -q -t 1 cut
    printf '%s\n' "${lines[@]:0:1000}" >expected
    for threads in 1 2 8; do
        wwiki -q -t $threads -n 1000 cut | cmp - expected
    done
}

@test "the documents before a place where a dump is broken are the same for any number of threads" {
    head -c $(($(stat -c %s large.xml) * 9 / 10)) large.xml >cut
    for threads in 1 2 8; do
        status=0
        wwiki -q -t $threads cut >"got$threads" 2>"err$threads" || status=$?
        [ "$status" -eq 3 ]
        cmp got$threads got1
        cmp err$threads err1
    done
    [ "$(wc -l <got1)" -gt 1300 ]
    head -n "$(wc -l <got1)" large.jsonl | cmp - got1
}

@test "-n does not wait for more than it needs" {
    mkfifo slow
    { cat large.xml && sleep 30; } >slow 3>&- &
    timeout 15 wwiki -q -t 8 -n 5 slow >got
    kill $! || true # cat may have ended: wwiki did not want all of it
    head -n 5 large.jsonl | cmp - got
}

@test "pages after the last document that is wanted are not counted" {
    for threads in 1 8; do
        wwiki -q -t $threads -n 1 --log counts small.xml large.xml >got
        [ "$(jq -c '[.pages, .documents, .redirects]' counts)" = '[1,1,0]' ]
        wwiki -q -t $threads -n 2 --log counts small.xml large.xml >got
        [ "$(jq -c '[.pages, .documents, .redirects]' counts)" = '[8,2,1]' ]
    done
}

@test "a consumer that has enough ends it quietly" {
    wwiki -q large.xml.bz2 2>err | head -n 1 >/dev/null
    [ ! -s err ]
}

@test "disambiguation pages are left out when asked" {
    {
        head_of_dump
        page 0 1 Mercury $'Mercury may be:\n* a planet\n{{Disambiguation|x}}'
        page 0 2 'Mars (disambiguation)' 'Mars may be a planet.'
        page 0 3 Venus 'Venus is a planet.'
        page 0 4 Merkur $'Merkur ist:\n{{Begriffsklärung}}'
        page 0 5 Moon 'It circles [[Earth]]{{disambiguation needed|date=May 2020}}.'
        page 0 6 Sun 'It is in [[Leo]]{{Disambig_needed}}.'
        echo '</mediawiki>'
    } >many.xml
    [ "$(wwiki -q many.xml | wc -l)" -eq 6 ]
    wwiki -q --no-disambiguation --log counts many.xml >got
    [ "$(jq -r .title got | tr '\n' ' ')" = 'Venus Moon Sun ' ]
    [ "$(jq .disambiguations counts)" -eq 3 ]
}

@test "of several revisions the last one counts" {
    {
        head_of_dump
        echo '<page><title>T</title><ns>0</ns><id>1</id>'
        echo '<revision><id>2</id><model>css</model><text>old</text></revision>'
        echo '<revision><id>3</id><model>wikitext</model><text>new</text></revision></page></mediawiki>'
    } >history.xml
    [ "$(wwiki -q history.xml | jq -r .text)" = new ]
}

@test "a dump without <ns> and <redirect> has the same pages" {
    {
        head_of_dump
        page 0 1 One 'An article.'
        page 0 2 Two '#redirect : [[One]]'
        page 1 3 Talk:One 'Talk.'
        page 6 4 'bild:X' 'A picture.'
        page 0 5 'Re: Zero' 'A colon is no namespace.'
        page 0 6 Six $'# REDIRECT [[One]]\n#REDIRECT\nis a word.'
        echo '</mediawiki>'
    } | sed '/<ns>/d' >old.xml
    wwiki -q --log counts old.xml >got
    [ "$(jq -r .id got | tr '\n' ' ')" = '1 5 6 ' ]
    jq -e '.other_namespace == 2 and .redirects == 1' counts
    [ "$(wwiki -q --namespace 1 old.xml | jq -r .id)" = 3 ]
}

@test "the words of a wiki's links come from the dump" {
    {
        head_of_dump
        page 0 1 Rad '[[Bild:Rad.jpg|mini|Ein Rad]]Das Rad rollt.'
        echo '</mediawiki>'
    } >bild.xml
    [ "$(wwiki -q bild.xml | jq -r .text)" = 'Das Rad rollt.' ]
}

@test "templates can be added by a file" {
    {
        head_of_dump
        page 0 1 T 'It is {{warm|20}} today.'
        echo '</mediawiki>'
    } >warm.xml
    [ "$(wwiki -q warm.xml | jq -r .text)" = 'It is today.' ]
    echo 'warm = {1} degrees' >rows
    [ "$(wwiki -q --inlines rows warm.xml | jq -r .text)" = 'It is 20 degrees today.' ]
    echo 'warm' >rows
    run -2 wwiki --inlines rows warm.xml
    [[ $output == *rows* ]]
}

@test "each dump of a stream is read in its language, with its templates and the user's" {
    cd "$BATS_TEST_TMPDIR" || return
    echo 'warm = {1:number} °' >rows
    for language in fr en pt ''; do
        printf '<mediawiki%s>\n' "${language:+ xml:lang=\"$language\"}"
        page 0 1 A '[[Arquivo:a.jpg|b]]{{date|1|mars|2000}}, {{warm|1234.5}}, N-{a}-b'
        echo '</mediawiki>'
    done >many.xml
    wwiki -q --inlines rows many.xml | jq -r .text >text
    {
        echo 'b1er mars 2000, 1 234,5 °, N-{a}-b'
        echo 'b1, 1,234.5 °, N-{a}-b'
        echo '1 234,5 °, N-{a}-b'
        echo 'b1, 1,234.5 °, N-{a}-b'
    } | diff - text
}

@test "a dump that is cut anywhere is refused with 3, its place, and no file" {
    for file in small.xml large.xml.bz2 streams.xml.bz2; do
        size=$(stat -c %s $file)
        for cut in 3 9 50 400 $((size / 3)) $((size / 2)) $((size - 15)) $((size - 1)); do
            head -c "$cut" $file >cut
            [ "$(tail -c 12 cut)" = "</mediawiki>" ] && continue # without the last newline
            run -3 --separate-stderr wwiki -q -t 2 -o never cut
            # shellcheck disable=SC2154 # run sets it
            [ "${#stderr_lines[@]}" -eq 1 ]
            [[ $stderr == *byte* ]]
            [ ! -e never ]
        done
    done
    : >cut
    run -3 wwiki -o never cut
    run -3 wwiki -o never - </dev/null
    [ ! -e never ]
}

@test "a block that was changed is refused with 3" {
    size=$(stat -c %s large.xml.bz2)
    for at in 100 $((size / 2)) $((size - 3)); do
        cp large.xml.bz2 bad
        printf '\252\125' | dd of=bad bs=1 seek="$at" conv=notrunc 2>/dev/null
        run -3 wwiki -q -t 3 -o never bad
        [[ $output == *byte* ]]
        [ ! -e never ]
    done
    { cat large.xml.bz2 && echo more; } >bad
    run -3 wwiki -q -o never bad
}

@test "input that is not a dump, or is hostile, is refused with 3" {
    printf '<html><body/></html>' >bad
    run -3 wwiki bad
    [[ $output == *html* ]]
    printf '<page><title>a</title></page>' >bad
    run -3 wwiki bad
    printf 'plain text' >bad
    run -3 wwiki bad
    printf '<!DOCTYPE m [<!ENTITY a "b"><!ENTITY c "&a;&a;">]><mediawiki>&c;</mediawiki>' >bad
    run -3 wwiki bad
    [[ $output == *DTD* ]]
    { head_of_dump && printf '<x>%.0s' {1..100}; } >bad
    run -3 wwiki bad
    { head_of_dump && printf '<page><title>' && head -c 2000000 /dev/zero | tr '\0' a; } >bad
    run -3 wwiki bad
    { head_of_dump && printf '<!-- ' && head -c 3000000 /dev/zero | tr '\0' a; } >bad
    run -3 wwiki bad
    { head_of_dump && page 0 x T text && echo '</mediawiki>'; } >bad
    run -3 wwiki bad
    [[ $output == *'page "T"'* ]]
}

@test "a mistake in the command line gets 2" {
    run -2 wwiki --formatt wiki small.xml
    [[ $output == *--format* ]]
    run -2 wwiki --namespace x small.xml
    run -2 wwiki -t 0 small.xml
    for options in '-n 1' '-f plain' --title '--namespace 4' --tables '--inlines X' '--item x' \
        --no-disambiguation '--separator x' '--headings none' '--drop-sections x' '--math x'; do
        # shellcheck disable=SC2086 # an option and its value
        run -2 wwiki clean $options small.xml
    done
    run -2 wwiki --unescape yes small.xml
    run -2 wwiki claen small.xml
    [[ $output == *"did you mean clean?"* ]]
    run -2 wwiki --field body small.xml
    run -2 wwiki -o same --log same small.xml
    [ ! -e same ]
    run -2 wwiki --log - small.xml
    run -4 wwiki absent.xml
    run -0 wwiki --help
    [[ $output == *Examples:* ]]
}

@test "clean keeps the form of what it reads, and says what it removed" {
    printf '<doc id="1" url="u" title="formula_1 &amp;">\nformula_1 &\n\nLet formula_1 be () a <b>x</b>.\n| cell\n</doc>\n' >blocks
    printf '<doc id="2">\nNothing\n\n| cell\n</doc>\n<doc id="3">\nT\n\nlast\n</doc>\n' >>blocks
    wwiki clean -q --log counts blocks >got
    printf '<doc id="1" url="u" title="formula_1 &amp;">\nformula_1 &\n\nLet be a x.\n</doc>\n' >expected
    printf '<doc id="3">\nT\n\nlast\n</doc>\n' >>expected
    cmp got expected
    jq -e '.documents == 2 and .empty == 1 and .placeholders == 1 and .parentheses == 1 and
        .tags == 2 and .lines == 2 and .text_bytes < .read_bytes' counts
    printf '{"id":1,"text":"a {{b}} c\\n\\nd","x":[2]}\n\n{"text":"| z"}\n' >objects
    [ "$(wwiki clean -q objects | jq -c '[.id, .text, .x]')" = '[1,"a c\n\nd",[2]]' ]
    [ "$(sed s/text/body/g objects | wwiki clean -q --field body | jq -r .body)" = $'a c\n\nd' ]
    printf 'plain {{text}} here\n\nand there' | wwiki clean -q >got
    printf 'plain here\n\nand there' | cmp - got
    run -0 wwiki clean --log counts -o text got
    [[ $output != *documents* ]]
    jq -e '.text_bytes == 21 and .documents == null' counts
    dd bs=1 if=blocks 2>/dev/null | wwiki clean -q | cmp - expected
}

@test "clean unescapes a file that is escaped, and no other" {
    printf '<doc id="1">\nT\n\na &lt; b &amp;nbsp; c\n</doc>\n' >escaped
    [ "$(wwiki clean -q escaped | sed -n 4p)" = 'a < b   c' ]
    [ "$(wwiki clean -q --unescape no escaped | sed -n 4p)" = 'a &lt; b &amp;nbsp; c' ]
    printf '<doc id="1">\nT\n\na < b, written &lt;\n</doc>\n' >raw
    wwiki clean -q raw | cmp - raw
    wwiki clean -q escaped raw | tail -n 5 | cmp - raw
    printf '<doc id="1" title="A &amp;amp; B">\nA &amp; B\n\na &lt;b&gt;c&lt;/b&gt; &amp;amp; d\n</doc>\n' >escaped
    wwiki clean -q escaped >got
    printf '<doc id="1" title="A &amp;amp; B">\nA & B\n\na c &amp; d\n</doc>\n' | cmp - got
    [ "$(wwiki clean -q --unescape yes raw | sed -n 4p)" = 'a < b, written <' ]
}

@test "clean changes nothing of an object but the text" {
    printf '{ "n":1234567890123456789, "t\\u0065xt" : "a \\u00e9 {{b}} \\"\\n", "x" :[1e400,{"text":"{{c}}"}],"y": 1.50}\n' >in
    printf '{"a\\"}:":"\\\\","text":"\\u00e9 stays","e":{} }\r\n' >>in
    printf '{"text":"{{c}}\\n"}\n{"z":[],"text":"last {{x}}"}' >>in
    printf '{ "n":1234567890123456789, "t\\u0065xt" : "a é \\"\\n", "x" :[1e400,{"text":"{{c}}"}],"y": 1.50}\n' >expected
    printf '{"a\\"}:":"\\\\","text":"\\u00e9 stays","e":{} }\r\n' >>expected
    printf '{"z":[],"text":"last"}' >>expected
    wwiki clean -q --log counts in | cmp - expected
    jq -e '.documents == 3 and .empty == 1' counts
}

@test "clean lets no line of a text end its block" {
    printf '<doc id="1">\n&lt;/doc&gt;\n\na\n&lt;/doc&gt;\n&lt;/doc&gt; \nb&lt;br&gt;&lt;/doc&gt;\n</doc>\n' >escaped
    wwiki clean -q escaped >got
    printf '<doc id="1">\n </doc>\n\na\n </doc>\n </doc> \nb\n </doc>\n</doc>\n' | cmp - got
    printf '<doc id="1">\nT\n\na\n<b></doc></b>\n</doc>\n' | wwiki clean -q >got
    printf '<doc id="1">\nT\n\na\n </doc>\n</doc>\n' | cmp - got
}

@test "clean begins a line where a file begins" {
    printf 'one' >a && printf 'two' >b && : >c
    [ "$(wwiki clean -q a b c)" = $'one\ntwo' ]
    wwiki clean -q a c | cmp - a
    printf '<doc id="1">\nT\n\nx\n</doc>' >a
    { cat a && echo && cat a; } >expected
    wwiki clean -q a a | cmp - expected
}

@test "clean recognizes the form of a file" {
    printf '{{about|x}}\nText.\n' | wwiki clean -q >got
    [ "$(cat got)" = Text. ]
    for lines in '\xef\xbb\xbf{"text":"a {{b}} c"}\n' '\n \n{ "text":"a {{b}} c"}\r\n' '{"text":"a {{b}} c"}'; do
        # shellcheck disable=SC2059 # the lines are a format
        printf "$lines" | wwiki clean -q >got
        [ "$(jq -r .text got)" = 'a c' ]
    done
    { printf '{"text":"{{b}}' && head -c 2500000 /dev/zero | sed 's/\x0/x /g' && printf '"}\n'; } >long
    [ "$(wwiki clean -q long | jq -r .text | wc -c)" -eq 5000001 ]
    printf '\xef\xbb\xbf<doc id="1">\nformula_1\n\nx\n</doc>\n' | wwiki clean -q >got
    printf '<doc id="1">\nformula_1\n\nx\n</doc>\n' | cmp - got
}

@test "clean reads bzip2" {
    printf '{"text":"a {{b}} c"}\n' | bzip2 >packed
    [ "$(wwiki clean -q --log counts packed packed | jq -r .text | tr '\n' ' ')" = 'a c a c ' ]
    jq -e '.read_bytes == 42' counts
    head -c 40 packed >cut
    run -3 wwiki clean -q -o never cut
    [ ! -e never ]
}

@test "clean refuses with 3 what breaks its form" {
    printf '<doc id="1">\nT\n\ncut' >bad
    run -3 wwiki clean -q -o never bad
    printf '{"text":"a"}\n{"text":\n' >bad
    run -3 wwiki clean -q -o never bad
    [[ $output == *"line 2"* ]]
    printf '{"title":"a"}\n' >bad
    run -3 wwiki clean -q -o never bad
    [ ! -e never ]
}
