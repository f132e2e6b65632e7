/* lines.h - a text in memory, line by line.
 *
 *     const char *line;
 *     size_t length;
 *     for (const char *at = text; w_line_next(&at, text + size, &line, &length);)
 *         use(line, length);
 */
#ifndef W_LINES_H
#define W_LINES_H

#include <string.h>

#include "base/base.h"

/* The line that begins at *at, without its newline, which the last one may lack; *at is then
 * where the next one begins. False at the end of the text. */
static inline bool w_line_next(const char **at, const char *end, const char **line, size_t *length)
{
    if (*at == end)
        return false;
    const char *newline = memchr(*at, '\n', (size_t)(end - *at));
    *line = *at;
    *length = (size_t)((newline ? newline : end) - *line);
    *at = newline ? newline + 1 : end;
    return true;
}

#endif
