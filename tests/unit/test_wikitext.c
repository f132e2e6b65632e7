/* Wikitext to text, as tables of (wikitext, what a reader sees), by feature. The page is called
 * "Title". */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "wiki/wikitext.h"

struct pair {
    const char *wikitext, *text;
};

static struct w_wikitext *renderer;
static struct w_err err;

static void check_pairs(struct w_wikitext *r, const struct pair *pairs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct w_span text, want = w_span_of(pairs[i].text);
        assert_int_equal(
            w_wikitext_render(r, W_SPAN("Title"), w_span_of(pairs[i].wikitext), &text, &err), 0);
        if (!w_span_is(text, want))
            fail_msg("%s\n    gives: %.*s\n    wants: %s", pairs[i].wikitext, (int)text.size,
                     (const char *)text.at, pairs[i].text);
    }
}

#define CHECK(r, ...)                                                                              \
    do {                                                                                           \
        static const struct pair pairs[] = {__VA_ARGS__};                                          \
        check_pairs(r, pairs, W_COUNTOF(pairs));                                                   \
    } while (0)

/* A case is a line, or two. */
/* clang-format off */

static void comments_leave_nothing(void **state)
{
    (void)state;
    CHECK(renderer,
          {"a<!-- b -->c", "ac"},
          {"a <!-- b --> c", "a c"},
          {"a\n<!-- a line for itself -->\nb", "a b"},
          {"a\n\n<!-- x -->\n\nb", "a\n\nb"},
          {"a <!-- [[b]] {{c}} <ref> --> d", "a d"},
          {"a <!-- never closed\nb", "a b"},
          {"== Head == <!-- x --> <!-- y -->\na", "Head\n\na"},
          {"<!-->a", ""});
}

static void verbatim_text_is_kept_as_it_is(void **state)
{
    (void)state;
    CHECK(renderer,
          {"<nowiki>[[a]] ''b'' {{c}}</nowiki>", "[[a]] ''b'' {{c}}"},
          {"<nowiki>&lt;b&gt; &amp;nbsp;</nowiki>", "<b> &nbsp;"},
          {"a<nowiki/>b", "ab"},
          {"<nowiki>* a</nowiki>", "* a"},
          {"a<pre>\n  x   y\n    z\n</pre>b", "a\n\n  x   y\n    z\n\nb"},
          {"<source lang=\"x\">\n\n \n  5 REM a\n  6 PRINT b\n\n</source>", "  5 REM a\n  6 PRINT b"},
          {"a <code> b </code> <source inline> c </source><pre> \n </pre> d", "a b c\n\nd"},
          {"<pre><nowiki>{{x}}</nowiki></pre>", "{{x}}"},
          {"<source lang=\"c\">\nif (a < b)\n    f(&c);\n</source>", "if (a < b)\n    f(&c);"},
          {"Call <syntaxhighlight lang=c inline>f( )</syntaxhighlight> twice.",
           "Call f( ) twice."},
          {"<code>f()</code> and <code>''x''</code>", "f() and x"},
          {"<nowiki>a ''b''", "a b"},
          {"a <pre>b</pre> c\n\n<pre>d <pre>e</pre> f", "a\n\nb\n\nc\n\nd\n\ne\n\nf"},
          {"a <syntaxhighlight lang=\"c\">b;</syntaxhighlight> <source enclose=\"none\">c</source> d", "a\n\nb;\n\nc d"});
}

static void references_leave_nothing(void **state)
{
    (void)state;
    CHECK(renderer,
          {"a.<ref>b</ref> c", "a. c"},
          {"a.<ref name=\"b\" /> c<ref name=d/>.", "a. c."},
          {"a<ref name=\"x/y>z\">b</ref>c", "a c"},
          {"a<ref name='x/' />c", "a c"},
          {"a<ref>{{cite|t=b}} [[c]] <b>d</b></ref>e", "a e"},
          {"a<ref>\nb\n</ref>\nc", "a c"},
          {"a<REF>b</Ref>c", "a c"},
          {"a<ref>{{b</ref> c", "a c"},
          {"a<ref>b <ref>c</ref> d", "a b d"},
          {"a<ref name=b> c\n\nd\n\n== e ==\nf<ref>g</ref>h", "a c\n\nd\n\ne\n\nf h"},
          {"a</ref> b", "a b"},
          {"a<ref>b</ref name=\"c\"> d</ref>e</b/>", "a e"},
          {"a\n<references>\n<ref name=b>c</ref>\n</references>", "a"},
          {"a\n<references/>", "a"});
}

static void links_show_their_label(void **state)
{
    (void)state;
    CHECK(renderer,
          {"[[dog]]s and [[cat|a cat]]s", "dogs and a cats"},
          {"[[a|''b'' [c] &amp; d]]", "b [c] & d"},
          {"[[Wheel (vehicle)|]] [[Help:Wheel|]] [[Paris, Texas|]]", "Wheel Wheel Paris"},
          {"[[:Category:A]] [[:File:B.jpg]] [[:de:C|C]]", "Category:A File:B.jpg C"},
          {"a[[Category:B]] [[category: c|d]]", "a"},
          {"a\n[[de:B]]\n[[zh-min-nan:C]]", "a"},
          {"[[wikt:word|word]] [[Re:zero]]", "word Re:zero"},
          {"a [[File:b.jpg|thumb|left|A [[c|d]] with <ref>e</ref> {{f}} [http://g h]]] i", "a i"},
          {"[[Image:a.jpg|10px]]b", "b"},
          {"[[a|b|c]]", "b|c"},
          {"[[#Part]]", "#Part"},
          {"[[[a]]]", "[a]"},
          {"[[a]b", "[[a]b"},
          {"[[File:a|b\n\nc [[d]]", "[[File:a|b\n\nc d"});
}

static void addresses_show_their_label(void **state)
{
    (void)state;
    CHECK(renderer,
          {"[http://a.b c d] e", "c d e"},
          {"see [http://a.b].", "see."},
          {"[//a.b ''c''] [mailto:a@b c]", "c c"},
          {"at http://a.b/c_d?e=f&g", "at http://a.b/c_d?e=f&g"},
          {"[http://a [[b]] c]", "b c"},
          {"[[http://a b]] and [[http://a]] c", "[b] and c"},
          {"[http://a''b''] [http://a<b>b</b>] [http://] [mailto:]", "b b [http://] [mailto:]"},
          {"&#000065; &#x0041;", "A A"},
          {"[1] [a b]", "[1] [a b]"},
          {"[http://a b\nc]", "[http://a b c]"});
}

static void templates_are_left_out_except_inline_ones(void **state)
{
    (void)state;
    CHECK(renderer,
          {"{{Infobox a\n| b = [[c]]\n| d = {{e|f}}\n}}\n'''G''' is", "G is"},
          {"a {{convert|1300|mi|km}} b", "a 1,300 miles b"},
          {"{{convert|1|km|mi|sp=us}}, {{convert|5|ft|2|in|cm}}", "1 kilometer, 5 feet 2 inches"},
          {"{{convert|2|e6acre}} {{convert|166|Goilbbl|m3}}", "2 million acres 166 billion barrels"},
          {"{{convert|10|to|20|kg|lb|abbr=on}}", "10 to 20 kg"},
          {"{{convert|abbr=on|10|km|mi}} {{convert|1=5|2=km|sp=us}} {{convert|2=t|1=3}}",
           "10 km 5 kilometers 3 tonnes"},
          {"a {{Convert|30|ft|m|adj=on}} wall", "a 30-foot wall"},
          {"{{convert|3|x|4|m}} {{convert|7|furlongs|m}}", "3 × 4 metres 7 furlongs"},
          {"{{lang|fr|''bon''}} {{lang-de|Rad}} {{lang-xx|y}}", "bon German: Rad y"},
          {"{{nowrap|a b}}c {{nowrap|1=d=e}}", "a bc d=e"},
          {"{{Nihongo|'''Aikido'''|合気道|Aikidō|lead=yes}}", "Aikido (合気道, Aikidō)"},
          {"{{as of|2009|4}}, {{As_of|2010|lc=y}}", "As of April 2009, as of 2010"},
          {"{{birth date|1950|4|12}} {{death date|1990|12|1|df=y}}",
           "April 12, 1950 1 December 1990"},
          {"a{{ndash}}b{{spaced ndash}}c{{nbsp}}d{{'s}}", "a–b – c d's"},
          {"{{Template:Nowrap|a}} {{template:convert|5|km}} {{Draft:Nowrap|b}}c", "a 5 kilometres c"},
          {"{{frac|1|2}} {{frac|3}} {{frac|5|1|2}}", "1/2 1/3 5 1/2"},
          {"1{{sfrac|1|4}} days, 6{{frac|2}}, (a{{fraction|1|3}})", "1 1/4 days, 6 1/2, (a1/3)"},
          {"{{val|6.241|e=18|u=C}} {{formatnum:1234567.5}}", "6.241×10¹⁸ C 1,234,567.5"},
          {"{{chem|H|2|O}} {{circa|1500}} {{flag|France}}{{flagicon|France}}",
           "H2O c. 1500 France"},
          {"a\n{{quote|b\n* c\n|d}}\ne", "a\n\nb\nc\nd\n\ne"},
          {"{{IPA|/a/|[b]|lang=en}}; {{IPA|en|/a/}}; {{IPA|/c/}}", "/a/, [b]; /a/; /c/"},
          {"In the morning, {{...}} the wind, {{...}}", "In the morning, ... the wind, ..."},
          {"a\n{{Columns|width=9em|col1=* b\n* c|col2=\n* d\n|col3=* e}}\nf", "a\nb\nc\nd\ne\n\nf"},
          {"{{plainlist|* a\n* b}} {{ubl|#1|:2}} {{small|* c}}", "a\nb\n#1\n:2\n* c"},
          {"{{hlist|a|b|c}} {{!}} {{=}}", "a, b, c | ="},
          {"a\n{{flatlist|* b\n* c}}\nd {{flatlist|\n* e\n* f\n}}", "a\nb\nc\n\nd\ne\nf"},
          {"{{hlist|1=a|2=b}} {{hlist|2=b|1=a|x=y}} {{hlist|a|1=b|3=|12=c|01=d}}", "a, b a, b b, c"},
          {"a {{ordered list|start=1|b|c}} d", "a\nb\nc\nd"},
          {"{{PAGENAME}} {{lc:ABC}} {{#tag:ref|x}}", "Title abc"},
          {"{{nowrap|{{lang|de|{{small|a}}}}}}", "a"},
          {"{{{1|default}}} {{{2}}}", "default"},
          {"{{nowrap|a<!-- | -->b}} c{{small| (d)}}{{nowrap|e }}f ({{lang|fr| g}}h{{small|1= i }}j)", "ab c (d)e f (ghij)"},
          {"{{{{{{{{x}}y}}z}}|{{small|c}}}}d {{{{{1}}}|e}} {{{{{1|small}}}|f}}", "d"});
}

static void holes_are_mended(void **state)
{
    (void)state;
    CHECK(renderer,
          {"'''Rome''' ({{IPA-it|x}}; born 1950) is", "Rome (born 1950) is"},
          {"A ({{x}}) b", "A b"},
          {"A ({{x}}, {{y}}; {{z}}) b", "A b"},
          {"A (b; {{x}}) c", "A (b) c"},
          {"A ({{x}} or {{y}}, also {{z}}) b", "A b"},
          {"A ({{x}} of {{y}}) b", "A (of) b"},
          {"A {{x}}, b {{y}}. C {{z}} d", "A, b. C d"},
          {"A, {{x}}, b", "A, b"},
          {"A{{x}} b<ref/>.", "A b."},
          {"f() and ( ) , x", "f() and ( ) , x"},
          {"{{x}}\n{{y}}\nA", "A"},
          {"a\n{{x}}\nb", "a\nb"},
          {"a {{x}} .5", "a .5"},
          {"breaks{{Clarify|date=May}}in 3<ref>x</ref>4 naïve{{x}}été Ж{{x}}ж", "breaks in 3 4 naïve été Ж ж"},
          {"中<ref>x</ref>文 ไทย<ref/>ไทย \"{{x}}a\" a{{x}}-b", "中文 ไทยไทย \"a\" a-b"},
          {"Donau{{shy}}dampf{{wbr}}schiff{{zwsp}}fahrt{{zwnj}}en, {{shy}} b", "Donaudampfschifffahrten, b"},
          {"a[[Category:B]]b__NOTOC__c<span style=\"display:none\">d</span>e ({{shy}}) f", "abce f"},
          {"* Mandarin: {{t|x}}, {{t|y}}; {{t|z}}", "Mandarin:"},
          {"Cognate with {{m|a}}, {{m|b}}.", "Cognate with."},
          {"Rome, {{x}}. Next; {{y}}. {{z}}. End: {{x}}.", "Rome. Next. End."},
          {"From {{x}}, {{y}}\n\nTo; {{z}}\n== Head, {{x}} ==\na, {{x}}", "From\n\nTo\n\nHead\n\na"},
          {"* a, {{x}}\n* b,\n* {{y}} c,<ref/>\n* d", "a\nb,\nc,\nd"},
          {"a, {{x}}\nb, {{x}}<br>c", "a, b\nc"},
          {"* {{Citation|title=x}}. First of\n# {{l|a}}: ''b''\n{{x}}; {{y}} c", "First of\nb\n\nc"},
          {"a\n== b ==\n{{borrowing|la|x}}.\n== {{c}}. ==\nd", "a\n\nd"},
          {"* {{x}} / {{y}}\n* {{x}}/{{y}}, {{z}}.\n* {{x}}/a\n* b", "/a\nb"},
          {"a {{x}}\n\n. b {{x}}\n* , c\n* : d {{x}}... e", "a\n\n. b\n, c\n: d ... e"},
          {"a. {{x}}. {{y}}, {{z}}. b {{x}}. {{y}}, c", "a. b. c"},
          {"(a: {{x}}) b: {{x}}: c: {{x}}? {{y}}: d ({{x}}. e)", "(a) b: c? d (e)"},
          {"etc.<ref/>, a J. R.{{x}}; b?{{x}}! c", "etc., a J. R.; b?! c"},
          {"12, {{x}} : b 12 {{x}} ; c {{x}} ? {{y}} ! d", "12 : b 12 ; c ? d"},
          {"a {{x}}? b {{x}}! c {{x}}; d {{x}}: e {{x}}&nbsp;: f", "a? b! c; d: e : f"},
          {"* {{x}} - a\n* {{x}} – b\n* {{x}}? c\n* {{x}}-d — {{x}} — e", "a\nb\nc\n-d — — e"},
          {"«a {{x}}», „b {{x}}“ “c {{x}}” « d {{x}} » “e” {{x}} “f”", "«a», „b“ “c” « d » “e” “f”"},
          {"a {{quote|b}}. c {{quote|d.}}. e\n\n<poem>f</poem>, g {{quote|h}} . i", "a\n\nb.\n\nc\n\nd.\n\ne\n\nf,\n\ng\n\nh\n\n. i"},
          {"a [{{x}}] b [c, {{x}}] d [sic{{x}}]", "a b [c] d [sic]"},
          {"{{x}}... a, {{x}}... b, {{x}} .5 c,. d", "... a, ... b, .5 c,. d"});
}

static void tables_are_left_out(void **state)
{
    (void)state;
    CHECK(renderer,
          {"a\n{| class=\"b\"\n|-\n| c || d\n|}\ne", "a\n\ne"},
          {"{|\n|\n{|\n|b\n|}\n|c\n|}\nd", "d"},
          {"{|\n| {{x\n|y=1\n|}}\n| b\n|}\nc", "c"},
          {":{|\n|b\n|}\nc", "c"},
          {"a\n: {|\n|b\n|}\n::\t{| x\n|c\n|}\nd", "a\n\nd"},
          {"{|\n| a\n| b\nc\n\n== d ==\ne", "c\n\nd\n\ne"},
          {"{{table start}}\n|-\n| a\n! b\n|}\nc", "c"},
          {"a<table><tr><td>b<table><tr><td>c</td></tr></table></td></tr></table>d", "a\n\nd"});
}

static void tables_can_be_kept(void **state)
{
    struct w_wikitext_options options = {.tables = true};
    struct w_wikitext *r = NULL;

    (void)state;
    assert_int_equal(w_wikitext_new(&r, &options, &err), 0);
    CHECK(r,
          {"a\n{| class=\"b\"\n|+ Head\n! x !! y\n|-\n| c || style=\"d\" | ''e''\n|-\n| f\n| " "g\nh\n|}\ni",
           "a\n\nHead\nx | y\nc | e\nf | g h\n\ni"},
          {"{|\n| [[a|b]] || {{nowrap|c}}\n|}", "b | c"},
          {"{|\n| [[a|b]] | g\n| x || [[c]] d | e\n|}", "b | g | x | c d | e"},
          {"{|\n| style=\"a\" | [[b|c]] || -{d}- | e\n|}", "c | e"},
          {"{|\n| colspan=\"5\" {{yes}}\n| a=b style='c d' {{nowrap|e}} || x=1 f || 2=3 {{nowrap|g}}\n|}",
           "| e | x=1 f | 2=3 g"},
          {"{|\n| a\n{|\n| b\n|}\n| c || d\n|-\n| e\n{|\n| f\n|}\ng\n| h\n|}",
           "a\n\nb\n\nc | d\ne\n\nf\n\ng | h"},
          {"<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a | b\nc"});
    w_wikitext_free(r);
}

static void headings_and_sections(void **state)
{
    (void)state;
    CHECK(renderer,
          {"a\n== b ==\nc\n===d===\n\ne", "a\n\nb\n\nc\n\nd\n\ne"},
          {"== a ==\n== b ==\n=== c ===\n== d ==\ne", "d\n\ne"},
          {"a\n== b ==\n=== c ===\nd", "a\n\nb\n\nc\n\nd"},
          {"a\n== b ==\n", "a"},
          {"== <!-- a --> ==\nb", "b"},
          {"", ""},
          {"a\n== References ==\nb\n=== c ===\nd\n== e ==\nf", "a\n\ne\n\nf"},
          {"a\n==See  ''also''==\n* b\n[[Category:C]]", "a"},
          {"== a = b ==\nc", "a = b\n\nc"},
          {"== [[a|b]]<ref>c</ref> ==\nd", "b\n\nd"},
          {"== a\nb", "== a b"},
          {"a = b", "a = b"},
          {"=====\na", "===== a"});
}

static void headings_can_be_marked_or_left_out(void **state)
{
    struct w_wikitext_options options = {.headings = W_HEADINGS_MARKED, .sections = "b|c d"};
    struct w_wikitext *r = NULL;

    (void)state;
    assert_int_equal(w_wikitext_new(&r, &options, &err), 0);
    CHECK(r,
          {"=== a ===\nx", "=== a ===\n\nx"},
          {"x\n== B ==\ny\n== C d ==\nz", "x"},
          {"== References ==\nx", "== References ==\n\nx"});
    w_wikitext_free(r);
    options.headings = W_HEADINGS_NONE;
    assert_int_equal(w_wikitext_new(&r, &options, &err), 0);
    CHECK(r,
          {"x\n== a ==\ny\n== b ==\nz", "x\n\ny"});
    w_wikitext_free(r);
}

static void lists_and_lines(void **state)
{
    (void)state;
    CHECK(renderer,
          {"* a\n** b\n# c\n: d\n; e", "a\nb\nc\nd\ne"},
          {"a\n* b\n* {{x}}\n* c\n\nd", "a\nb\nc\n\nd"},
          {"* a\nb\n* c", "a\n\nb\nc"},
          {"; a : [[b:c]]\n; http://d:e", "a\nb:c\nhttp://d:e"},
          {"a\nb\n\n\n\nc", "a b\n\nc"},
          {"a<br>b<br />c</br>d", "a\nb\nc\nd"},
          {"a\n b\n c\nd", "a\nb\nc\n\nd"},
          {"a\n----\nb", "a\n\nb"},
          {"<ul><li>a</li><li>b</li></ul>", "a\nb"},
          {"<blockquote>a</blockquote>b<p>c</p>", "a\n\nb\n\nc"},
          {"<poem>\na\nb\n\nc\n</poem>d\ne", "a\nb\n\nc\n\nd e"},
          {"<poem>\na\nb\n== c ==\nd\ne", "a\nb\n\nc\n\nd e"},
          {"a  b \t c&nbsp; d", "a b c d"});
}

static void list_items_can_be_marked(void **state)
{
    struct w_wikitext_options options = {.item = "- "};
    struct w_wikitext *r = NULL;

    (void)state;
    assert_int_equal(w_wikitext_new(&r, &options, &err), 0);
    CHECK(r,
          {"a\n* b\n* {{x}}\n** c\nd", "a\n- b\n- c\n\nd"});
    w_wikitext_free(r);
}

static void quotes_follow_the_rule_of_apostrophes(void **state)
{
    (void)state;
    CHECK(renderer,
          {"''a'' '''b''' '''''c''''' d's", "a b c d's"},
          {"L'''amour''' et l'''ami''", "Lamour et l'ami"},
          {"''''a''''", "'a'"},
          {"''''''''a", "'''a"},
          {"l'''amour''", "l'amour"},
          {"the boys'''s ''b", "the boys's b"},
          {"''a\nb'' c", "a b c"},
          {"''[[a|''b'']]''", "b"});
}

static void tags_leave_their_text(void **state)
{
    (void)state;
    CHECK(renderer,
          {"<b>a</b> <span class=\"x>y\">b</span> <small>c</small>", "a b c"},
          {"10<sup>6</sup> x<sup>−12</sup> 19<sup>th</sup>", "10⁶ x⁻¹² 19th"},
          {"H<sub>2</sub>O, 20<sub>16</sub> is 32<sub>[[decimal|10]]</sub>", "H2O, 20₁₆ is 32₁₀"},
          {"10<sup>100,000</sup>, x<sup>2.5</sup>, 2<sup>−0.5</sup>, 9<sup>123456789</sup>",
           "10^100,000, x^2.5, 2^−0.5, 9^123456789"},
          {"e<sup>2πi</sup> ν<sup>1.5</sup> 10<sup>6<ref>a</ref></sup> 2<sup>3.5<ref/></sup>",
           "e^(2πi) ν^1.5 10⁶ 2^3.5"},
          {"10<sup>10<sup>100</sup></sup> 2<sup>3.5 a\n\nb</sup> 2<sup>3", "10^(10¹⁰⁰) 23.5 a\n\nb 23"},
          {"1<sup>st</sup> of it.<sup>1,2</sup> <sup>99m</sup>Tc", "1st of it.1,2 99mTc"},
          /* a tag within something else closes none outside of it */
          {"0<sup>6.1[[a|b</sup>]] c, 0<sup>6.1 {{lang|fr|d</sup>}} e", "06.1b c, 06.1 d e"},
          {"7E<sub>16</sub> 12ab<sub>16</sub> 6CO<sub>2</sub> C<sub>12</sub>H<sub>22</sub>",
           "7E₁₆ 12ab₁₆ 6CO2 C12H22"},
          {"5<sub>1,2</sub> 2F<sub>2.5</sub> x<sub>1,2</sub>", "5_1,2 2F_2.5 x1,2"},
          {"20{{sub|16}} H{{sub|2}}O 10{{sup|2.5}} {{val|6|e=1.5}}", "20₁₆ H2O 10^2.5 6×10^1.5"},
          {"<span style=\"display:none\">1 <span>2</span></span>b", "b"},
          {"a < b and c > d, <john@x.y>, <foo>", "a < b and c > d, <john@x.y>, <foo>"},
          {"a<gallery>\nx.jpg|b\n</gallery>c", "a c"},
          {"a<timeline>[[b]]</timeline><imagemap>c</imagemap><score>d</score>e", "a e"},
          {"a<gallery>\n[[b]]\n\n== c ==\nd", "a b\n\nc\n\nd"},
          {"<includeonly>a</includeonly><noinclude>b</noinclude>", "b"},
          {"a<b c", "a<b c"},
          {"<math>\\frac{a}{b^{2}} &lt; c\n+ d</math>", "\\frac{a}{b^{2} } < c + d"},
          {"<chem>H2O</chem> <ce>CO2</ce>", "H2O CO2"});
}

static void mathematics_can_be_replaced(void **state)
{
    struct w_wikitext_options options = {.math = "FORMULA"};
    struct w_wikitext *r = NULL;

    (void)state;
    assert_int_equal(w_wikitext_new(&r, &options, &err), 0);
    CHECK(r,
          {"where <math>x</math>, <ce>y</ce>", "where FORMULA, FORMULA"});
    w_wikitext_free(r);
    options.math = "";
    assert_int_equal(w_wikitext_new(&r, &options, &err), 0);
    CHECK(r,
          {"where <math>x</math>, y", "where, y"});
    w_wikitext_free(r);
}

static void entities_are_characters(void **state)
{
    (void)state;
    CHECK(renderer,
          {"&eacute;&Eacute;&mdash;&#8211;&#x2013;&hellip;", "éÉ—––…"},
          {"a&nbsp;b&amp;nbsp;c&#160;d\xC2\xA0" "e", "a b c d e"},
          {"&lt;b&gt; &amp;lt; AT&T &foo; &", "<b> &lt; AT&T &foo; &"},
          {"&amp;ndash; &amp;#8211;", "– –"},
          {"a&shy;b&lrm;c", "abc"},
          {"&#xD800;&#1114112;&#0;", "&#xD800;&#1114112;&#0;"},
          {"&#150;&#127;&#xFFFF;&#xfffe;", "&#150;&#127;&#xFFFF;&#xfffe;"},
          {"&#126;&#160;&#xFFFD;&#x1FFFF;", "~ \xEF\xBF\xBD\xF0\x9F\xBF\xBF"},
          {"&#91;&#91;a]]", "[[a]]"},
          {"a\x01\x02\x06" "b", "ab"});
}

static void magic_words_leave_nothing(void **state)
{
    (void)state;
    CHECK(renderer,
          {"__NOTOC__\na __init__ __FILE__ __TOC__b", "a __init__ __FILE__ b"},
          {"__БЕЗ_ОГЛ__a", "a"},
          {"-{a}- {b-{1}-c} -{T|d}- -{", "-{a}- {b-{1}-c} -{T|d}- -{"});
}

static void unbalanced_markup_affects_little(void **state)
{
    (void)state;
    CHECK(renderer,
          {"a {{b c\n\nd {{e}} f", "a {{b c\n\nd f"},
          {"{{a\n\n== b ==\nc }} d", "{{a\n\nb\n\nc }} d"},
          {"a [[b c\n\nd [[e]] f", "a [[b c\n\nd e f"},
          {"a }} b ]] c |} d", "a }} b ]] c |} d"},
          {"{{nowrap|[[a|b}} c", "[[a c"},
          {"{{{convert|1|km}} a", "{1 kilometre a"});
}

static void a_site_names_its_namespaces(void **state)
{
    struct w_wikitext_options options = {0};
    struct w_wiki_site *site = NULL;
    struct w_wikitext *r = NULL;

    (void)state;
    assert_int_equal(w_wiki_site_new(&site, &err), 0);
    assert_int_equal(w_wiki_site_add(site, 6, w_span_of("Tập tin"), &err), 0);
    assert_int_equal(w_wiki_site_add(site, 14, w_span_of("Категорія"), &err), 0);
    assert_int_equal(w_wiki_site_add(site, 10, w_span_of("Шаблон"), &err), 0);
    options.site = site;
    assert_int_equal(w_wikitext_new(&r, &options, &err), 0);
    CHECK(r,
          {"a[[Tập tin:b.jpg|nhỏ|c]][[tập_tin:d]][[File:e]]f", "a f"},
          {"a[[Категорія:b]][[категорія:c]][[Category:d]]e", "ae"},
          {"[[Шаблон:a]]", "Шаблон:a"});
    w_wikitext_free(r);
    w_wiki_site_free(site);
}

/* clang-format on */

/* Wherever the buffer has to grow while the signs are put around a heading. */
static void marked_headings_stand_at_any_place(void **state)
{
    struct w_inline_table *table = NULL;
    struct w_wikitext_options options = {.headings = W_HEADINGS_MARKED};
    static char page[8192];

    (void)state;
    assert_int_equal(w_inline_table_new(&table, NULL, &err), 0);
    options.inlines = table;
    for (size_t size = 1; size < 1000; size++) {
        struct w_wikitext *r = NULL;
        struct w_span text;
        char *end = page;
        for (size_t i = 0; i < size; i++)
            end = stpcpy(end, "-<ref/>"); /* written one by one */
        strcpy(end, "\n==== h ====\ny");
        assert_int_equal(w_wikitext_new(&r, &options, &err), 0);
        assert_int_equal(w_wikitext_render(r, W_SPAN("Title"), w_span_of(page), &text, &err), 0);
        assert_int_equal(text.size, size + 16);
        assert_memory_equal(text.at + size, "\n\n==== h ====\n\ny", 16);
        w_wikitext_free(r);
    }
    w_inline_table_free(table);
}

static void a_file_of_rows_extends_the_table(void **state)
{
    static const char rows[] = "\xEF\xBB\xBF# a comment\n\n"
                               "Hello = hello, {name|1:capital}!\n"
                               "nowrap =\n"
                               "list = {*; } || none\n"
                               "x-* = \\s{a?}\\{{1}\\}\\\\ || -{2:month}-\n"
                               "y = \\d{1}\n"
                               "z = {10}{26}\n"
                               "g = \\[, a {1}\\]\\[; b {2}\\] || \\[, d {3}\\]\\[, {4} e\\]\n"
                               "h = c\\[ {1}\\]\n"
                               "s = {1=one?}1 || {1=two?}2 || {k=v?}{1}\n"
                               "n-* = {#:language} ({#}) {1} || {1:language}, {2}\n"
                               "<number>th = {#}-{1}\n"
                               "<number>th = {#}th\n"
                               "4th = fourth\n"
                               "in <month> = {#:upper}\n"
                               "f: = <{1:upper}>";
    struct w_wikitext_options options = {0};
    struct w_inline_table *table = NULL;
    struct w_wikitext *r = NULL;

    (void)state;
    assert_int_equal(w_inline_table_new(&table, NULL, &err), 0);
    assert_int_equal(w_inline_table_add(table, w_span_of(rows), &err), 0);
    options.inlines = table;
    assert_int_equal(w_wikitext_new(&r, &options, &err), 0);
    CHECK(r, {"{{hello|world}} {{Hello|name=you|x}}", "hello, World! hello, You!"},
          {"a {{nowrap|b}} c", "a c"}, {"{{list|a|b}} {{list}}", "a; b none"},
          {"{{x-y|1|a=2}} {{x-z||3}} {{x|1}}", "{1}\\ -March-"}, {"{{F:abc}}", "<ABC>"},
          {"1{{y|2}} a{{y|3}} {{y|4}}", "1 2 a3 4"},
          {"{{g|1}}; {{g|1|2}}; {{g||2}}; {{g|||3}}; {{g||||4}}; {{g|||3|4}}; {{g}}x",
           "a 1; a 1; b 2; b 2; d 3; 4 e; d 3, 4 e; x"},
          {"{{h}}, {{h|1}}", "c, c 1"},
          {"{{s|one}} {{s|Two}} {{s|six|k=v}} {{s|six}}7", "1 2 six 7"},
          {"{{n-de|a}} {{n-en-us|b}} {{n-xx|fr|c}} {{n-xx|yy|d}}e",
           "German (de) a English (en-us) b French, c e"},
          {"{{7th}} {{4th}} {{8TH|x}} {{in may}} {{In_December}} {{in 5}}y",
           "7th fourth 8th MAY DECEMBER y"},
          {"{{z||||||||||a||||||||||||||||b}} {{z|26=d|10=c}}", "ab cd"});
    w_wikitext_free(r);
    w_inline_table_free(table);
}

static void wrong_rows_are_refused_with_their_line(void **state)
{
    static const struct pair wrong[] = {
        {"a = b\nc", "line 2: no '='"},
        {"a = {1", "line 1: '{' without '}'"},
        {"a = 1}", "'}' without '{'"},
        {"a = {}", "without the name"},
        {"a = {1:x}", "none of lines, month"},
        {"a = {1} {1}", "name an argument once"},
        {"a = {1} \\[{1}\\]", "name an argument once"},
        {"a = \\[b", "do not pair"},
        {"a = b\\]", "do not pair"},
        {"a = \\[b\\[c\\]\\]", "do not pair"},
        {"a = \\[b || c\\]", "do not pair"},
        {"a = {*} {1}", "name an argument once"},
        {"a = @foo", "no rule @foo"},
        {"a = \\", "'\\' at the end"},
        {"a = {*||}", "only text and line ends"},
        {"\n\n = b", "line 3: no '='"},
        {"a = {1:number?}", "only month may"},
        {"<foo>e = b", "one of <country>"},
        {"<number>e<month> = b", "no other '<'"},
        {"a<number = b", "one of <country>"},
        {"a = \xff", "not UTF-8"},
        {"a = \x01", "control character"},
    };

    (void)state;
    for (size_t i = 0; i < W_COUNTOF(wrong); i++) {
        struct w_inline_table *table = NULL;
        assert_int_equal(w_inline_table_new(&table, NULL, &err), 0);
        assert_int_equal(w_inline_table_add(table, w_span_of(wrong[i].wikitext), &err), W_USAGE);
        if (!strstr(err.text, wrong[i].text))
            fail_msg("%s gives: %s", wrong[i].wikitext, err.text);
        w_inline_table_free(table);
    }
}

static int make_renderer(void **state)
{
    struct w_wikitext_options options = {0};

    (void)state;
    return w_wikitext_new(&renderer, &options, &err) ? -1 : 0;
}

static int free_renderer(void **state)
{
    (void)state;
    w_wikitext_free(renderer);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comments_leave_nothing),
        cmocka_unit_test(verbatim_text_is_kept_as_it_is),
        cmocka_unit_test(references_leave_nothing),
        cmocka_unit_test(links_show_their_label),
        cmocka_unit_test(addresses_show_their_label),
        cmocka_unit_test(templates_are_left_out_except_inline_ones),
        cmocka_unit_test(holes_are_mended),
        cmocka_unit_test(tables_are_left_out),
        cmocka_unit_test(tables_can_be_kept),
        cmocka_unit_test(headings_and_sections),
        cmocka_unit_test(headings_can_be_marked_or_left_out),
        cmocka_unit_test(lists_and_lines),
        cmocka_unit_test(list_items_can_be_marked),
        cmocka_unit_test(quotes_follow_the_rule_of_apostrophes),
        cmocka_unit_test(tags_leave_their_text),
        cmocka_unit_test(mathematics_can_be_replaced),
        cmocka_unit_test(entities_are_characters),
        cmocka_unit_test(magic_words_leave_nothing),
        cmocka_unit_test(unbalanced_markup_affects_little),
        cmocka_unit_test(a_site_names_its_namespaces),
        cmocka_unit_test(marked_headings_stand_at_any_place),
        cmocka_unit_test(a_file_of_rows_extends_the_table),
        cmocka_unit_test(wrong_rows_are_refused_with_their_line),
    };
    return cmocka_run_group_tests(tests, make_renderer, free_renderer);
}
