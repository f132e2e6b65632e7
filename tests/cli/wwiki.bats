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
    [ "$(jq -c 'del(.seconds, .text_bytes)' counts)" = '{"pages":8,"other_namespace":1,"redirects":1,"other_models":1,"disambiguations":0,"empty":3,"documents":2}' ]
    [ "$(wwiki -q --namespace 1 small.xml | jq -r .title)" = Talk:One ]
    [ "$(wwiki -q --namespace 1 --namespace 0 small.xml | wc -l)" -eq 3 ]
}
