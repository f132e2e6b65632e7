/* name_family.h - names of templates that differ in one part: {{lang-fr}} and {{lang-de}}, {{2e}}
 * and {{82e}}. One row of a table stands for all of them; its name has "*" or a kind of part in
 * angle brackets there, "lang-*" and "<number>e" (inlines.h has the kinds). */
#ifndef W_NAME_FAMILY_H
#define W_NAME_FAMILY_H

#include "base/status.h"
#include "wiki/language.h"

enum w_name_part {
    W_PART_NONE, /* the name is that of one template */
    W_PART_ANY,
    W_PART_COUNTRY,
    W_PART_LANGUAGE,
    W_PART_MONTH,
    W_PART_NUMBER,
    W_PART_ROMAN,
    W_PART_RULER,
    W_PART_SHIP,
};

struct w_name_family {
    enum w_name_part part;
    size_t prefix, suffix; /* bytes of the name before and after the part */
};

/* The family that the name of a row stands for. W_USAGE if it has an angle bracket that is not part
 * of one kind that there is. */
enum w_status w_name_family_of(struct w_span name, struct w_name_family *,
                               struct w_err *) W_MUST_CHECK;

/* Is a text a part of that kind, in a wiki of that language? */
bool w_name_part_is(enum w_name_part, const struct w_wiki_language *, struct w_span text);

#endif
