/* Runs of apostrophes, by the rules of MediaWiki's parser (doQuotes): two are italics, three bold,
 * five both; of four, one is text, and of more than five all but five. If a line has an odd number
 * of both, one ''' was an apostrophe and '': "L'''amour''" is L' and amour in italics. */
#include "wiki/render_private.h"

void w_wiki_quotes_run(struct w_wikitext *r, u32 size)
{
    struct w_quotes *q = &r->quotes;
    struct w_buffer *out = &r->marked;

    for (; size == 4 || size > 5; size--)
        w_buffer_byte(out, '\'');
    if (size != 3)
        q->italics++;
    if (size != 2)
        q->bolds++;
    if (size != 3)
        return;
    u8 last = w_buffer_last(out), second = out->size > 1 ? out->at[out->size - 2] : last;
    size_t *place = last == ' '     ? &q->after_space
                    : second == ' ' ? &q->after_letter
                                    : &q->after_word;
    if (!*place)
        *place = out->size + 1;
}

void w_wiki_quotes_end_line(struct w_wikitext *r)
{
    struct w_quotes *q = &r->quotes;
    size_t place = q->after_letter ? q->after_letter
                   : q->after_word ? q->after_word
                                   : q->after_space;

    if (!q->italics && !q->bolds)
        return;
    /* The output may have been cut since: insert only between characters. */
    if (q->italics % 2 && q->bolds % 2 && place && place - 1 < r->marked.size &&
        (r->marked.at[place - 1] & 0xC0) != 0x80)
        w_buffer_insert(&r->marked, place - 1, "'", 1);
    *q = (struct w_quotes){0};
}
