/* A parser of one byte after the other, which can stop anywhere. Only inside of strings, where
 * nearly all bytes are, it goes on in runs. The brackets that are open are a bit each. */
#include "sys/json_line.h"

#include <string.h>

#include "base/lanes.h"
#include "base/utf8.h"

#define TEXT(number) #number
#define TEXT_OF(limit) TEXT(limit)

enum state {
    OVER,         /* before the first byte of a line */
    START,        /* before the object */
    KEY_OR_CLOSE, /* after '{' */
    KEY,          /* after ',' in an object */
    COLON,
    VALUE,
    VALUE_OR_CLOSE, /* after '[' */
    AFTER,          /* a value in an object or array */
    STRING,
    ESCAPE, /* after a backslash */
    HEX,    /* in the digits of \u */
    WORD,   /* in true, false, null, NaN, Infinity */
    MINUS,  /* of a number, as the following: the parts that were read last */
    ZERO,
    WHOLE,
    DOT,
    FRACTION,
    EXP,
    EXP_SIGN,
    EXP_DIGITS,
    DONE, /* after the object */
};

/* Where a parse has come to. */
struct feed {
    struct w_json_line *line;
    const u8 *bytes;
    size_t size, at;
    enum w_status status;
    const char *why; /* of a failure, without the place */
    bool of_member;  /* it is a clause about the member */
};

static void fail_in(struct feed *f, enum w_status status, const char *why)
{
    f->status = status;
    f->why = why;
}

static void fail_of_member(struct feed *f, const char *why)
{
    fail_in(f, W_CORRUPT, why);
    f->of_member = true;
}

static bool is_digit(u8 c)
{
    return c >= '0' && c <= '9';
}

static u64 characters(const u8 *bytes, size_t size)
{
    u64 count = 0;

    for (size_t i = 0; i < size; i++)
        count += (bytes[i] & 0xc0) != 0x80;
    return count;
}

void w_json_line_init(struct w_json_line *j, const char *name)
{
    memset(j, 0, offsetof(struct w_json_line, objects));
    j->name = name;
}

void w_json_line_release(struct w_json_line *j)
{
    w_buffer_free(&j->text);
}

static void begin_line(struct w_json_line *j)
{
    j->line++;
    j->offset = 0;
    j->column = 1;
    j->depth = 0;
    j->has_text = j->seen = j->is_name = false;
    j->text.size = 0;
    j->state = START;
}

/* ---- strings ---- */

/* Take bytes of the string at hand, without escapes. */
static void put(struct feed *f, const void *bytes, size_t size)
{
    struct w_json_line *j = f->line;

    if (j->reads_key) {
        j->is_name = j->is_name && size <= strlen(j->name) - j->key_size &&
                     !memcmp(j->name + j->key_size, bytes, size);
        j->key_size += j->is_name ? size : 0;
    }
    if (!j->reads_text)
        return;
    w_buffer_put(&j->text, bytes, size);
    if (j->text.failed)
        fail_in(f, W_NOMEM, "no memory for the text");
    else if (j->text.size > (size_t)W_JSON_LINE_TEXT_MIB << 20)
        fail_in(f, W_LIMIT, "the text is longer than " TEXT_OF(W_JSON_LINE_TEXT_MIB) " MiB");
}

static void put_code(struct feed *f, u32 code)
{
    u8 bytes[4];
    put(f, bytes, w_utf8_put(bytes, code));
}

/* The first half of a surrogate pair had no second one. */
static void put_half(struct feed *f)
{
    if (f->line->high)
        put_code(f, 0xfffd);
    f->line->high = 0;
}

static void put_unicode(struct feed *f, u32 code)
{
    struct w_json_line *j = f->line;
    bool low = code >= 0xdc00 && code < 0xe000;

    if (low && j->high) {
        put_code(f, 0x10000 + ((j->high - 0xd800) << 10) + (code - 0xdc00));
        j->high = 0;
        return;
    }
    put_half(f);
    if (code >= 0xd800 && code < 0xdc00)
        j->high = code;
    else
        put_code(f, low ? 0xfffd : code);
}

static void begin_string(struct w_json_line *j, bool key)
{
    j->reads_key = key && j->depth == 1;
    j->reads_text = !key && j->depth == 1 && j->is_name;
    if (key) {
        j->is_name = j->reads_key;
        j->key_size = 0;
    }
    j->expected = key ? COLON : AFTER;
    j->high = 0;
    j->state = STRING;
}

static void end_string(struct feed *f)
{
    struct w_json_line *j = f->line;

    put_half(f);
    j->state = j->expected;
    if (j->reads_key) {
        j->is_name = j->is_name && !j->name[j->key_size];
        if (j->is_name && j->seen)
            fail_of_member(f, "occurs twice");
        j->seen |= j->is_name;
    }
    if (!j->reads_text)
        return;
    j->has_text = true;
    j->value_size = j->offset + f->at + 1 - j->value_at;
    if (j->text.size && !w_utf8_valid(j->text.at, j->text.size)) {
        j->column = j->text_column;
        f->at = 0;
        fail_in(f, W_CORRUPT, "the text that begins here is not UTF-8");
    }
}

/* The bytes up to the next quote, backslash or newline. */
static size_t plain_run(const u8 *bytes, size_t size)
{
    size_t i = 0;

    for (; i + W_LANES <= size; i += W_LANES) {
        w_lanes lanes = w_lanes_load(bytes + i);
        u32 first = w_lanes_first((w_lanes)((lanes == '"') | (lanes == '\\') | (lanes == '\n')));
        if (first < W_LANES)
            return i + first;
    }
    while (i < size && bytes[i] != '"' && bytes[i] != '\\' && bytes[i] != '\n')
        i++;
    return i;
}

static void in_string(struct feed *f)
{
    struct w_json_line *j = f->line;
    size_t run = plain_run(f->bytes + f->at, f->size - f->at);

    if (run > 0) {
        put_half(f);
        put(f, f->bytes + f->at, run);
        f->at += run;
    }
    if (f->status || f->at == f->size)
        return;
    switch (f->bytes[f->at]) {
    case '"': end_string(f); break;
    case '\\': j->state = ESCAPE; break;
    default: fail_in(f, W_CORRUPT, "the line ends inside of a string"); return;
    }
    f->at += !f->status;
}

static void in_escape(struct feed *f, u8 c)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *found = c ? strchr(from, c) : NULL;

    f->line->state = STRING;
    if (c == 'u') {
        f->line->state = HEX;
        f->line->hex_digits = 0;
        f->line->code = 0;
    } else if (found) {
        put_half(f);
        put(f, to + (found - from), 1);
    } else {
        fail_in(f, W_CORRUPT, "no escape of JSON");
    }
}

static void in_hex(struct feed *f, u8 c)
{
    struct w_json_line *j = f->line;
    u8 low = c | 0x20;

    if (!is_digit(c) && !(low >= 'a' && low <= 'f')) {
        fail_in(f, W_CORRUPT, "\\u has four hexadecimal digits");
        return;
    }
    j->code = j->code << 4 | (is_digit(c) ? (u32)c - '0' : (u32)low - 'a' + 10);
    if (++j->hex_digits == 4) {
        put_unicode(f, j->code);
        j->state = STRING;
    }
}

/* ---- values ---- */

static void open_level(struct feed *f, bool object)
{
    struct w_json_line *j = f->line;

    if (j->depth == W_JSON_LINE_LEVELS) {
        fail_in(f, W_LIMIT, "more than " TEXT_OF(W_JSON_LINE_LEVELS) " levels");
        return;
    }
    u8 bit = (u8)(1u << j->depth % 8), *byte = &j->objects[j->depth / 8];
    *byte = (u8)(object ? *byte | bit : *byte & ~bit);
    j->depth++;
    j->state = object ? KEY_OR_CLOSE : VALUE_OR_CLOSE;
}

static bool in_object(const struct w_json_line *j)
{
    return j->objects[(j->depth - 1) / 8] >> (j->depth - 1) % 8 & 1;
}

static void close_level(struct w_json_line *j)
{
    j->depth--;
    j->state = j->depth ? AFTER : DONE;
}

static void begin_value(struct feed *f, u8 c)
{
    static const struct {
        u8 first;
        const char *rest;
    } words[] = {{'t', "rue"}, {'f', "alse"}, {'n', "ull"}, {'N', "aN"}, {'I', "nfinity"}};
    struct w_json_line *j = f->line;

    if (j->depth == 1 && j->is_name && in_object(j)) {
        j->value_at = j->offset + f->at;
        j->text_column = j->column + characters(f->bytes, f->at);
        if (c != '"') {
            fail_of_member(f, "must be a string");
            return;
        }
    }
    for (size_t i = 0; i < W_COUNTOF(words); i++)
        if (c == words[i].first) {
            j->word = words[i].rest;
            j->state = WORD;
            return;
        }
    if (c == '"')
        begin_string(j, false);
    else if (c == '{' || c == '[')
        open_level(f, c == '{');
    else if (c == '-')
        j->state = MINUS;
    else if (is_digit(c))
        j->state = c == '0' ? ZERO : WHOLE;
    else
        fail_in(f, W_CORRUPT, "here a value has to begin");
}

static void in_word(struct feed *f, u8 c)
{
    struct w_json_line *j = f->line;

    if (c != (u8)*j->word)
        fail_in(f, W_CORRUPT, "no value of JSON");
    else if (!*++j->word)
        j->state = AFTER;
}

/* The state after a character of a number; AFTER if it is none of it, OVER if it may not end
 * here. */
static enum state number_goes_on(enum state state, u8 c)
{
    bool digit = is_digit(c), exp = c == 'e' || c == 'E';

    switch (state) {
    case MINUS: return c == '0' ? ZERO : digit ? WHOLE : OVER;
    case ZERO: return c == '.' ? DOT : exp ? EXP : AFTER;
    case WHOLE: return digit ? WHOLE : c == '.' ? DOT : exp ? EXP : AFTER;
    case DOT: return digit ? FRACTION : OVER;
    case FRACTION: return digit ? FRACTION : exp ? EXP : AFTER;
    case EXP: return digit ? EXP_DIGITS : c == '+' || c == '-' ? EXP_SIGN : OVER;
    case EXP_SIGN: return digit ? EXP_DIGITS : OVER;
    default: return digit ? EXP_DIGITS : AFTER;
    }
}

/* True if the character was used. */
static bool in_number(struct feed *f, u8 c)
{
    struct w_json_line *j = f->line;

    if (j->state == MINUS && c == 'I') { /* -Infinity */
        j->word = "nfinity";
        j->state = WORD;
        return true;
    }
    enum state next = number_goes_on((enum state)j->state, c);
    if (next == OVER)
        fail_in(f, W_CORRUPT, "a digit is missing");
    else
        j->state = (u8)next;
    return next != AFTER;
}

static void after_value(struct feed *f, u8 c)
{
    struct w_json_line *j = f->line;
    bool object = in_object(j);

    if (c == ',')
        j->state = object ? KEY : VALUE;
    else if (c == (object ? '}' : ']'))
        close_level(j);
    else
        fail_in(f, W_CORRUPT, object ? "here , or } has to be" : "here , or ] has to be");
}

/* Between tokens, a character that is not blank. */
static void begin_token(struct feed *f, u8 c)
{
    struct w_json_line *j = f->line;

    switch ((enum state)j->state) {
    case START:
        if (c == '{')
            open_level(f, true);
        else
            fail_in(f, W_CORRUPT, "a line has to be an object");
        break;
    case KEY_OR_CLOSE:
    case KEY:
        if (c == '"')
            begin_string(j, true);
        else if (c == '}' && j->state == KEY_OR_CLOSE)
            close_level(j);
        else
            fail_in(f, W_CORRUPT, "here a key has to begin");
        break;
    case COLON:
        if (c == ':')
            j->state = VALUE;
        else
            fail_in(f, W_CORRUPT, "here : has to be");
        break;
    case VALUE_OR_CLOSE:
        if (c == ']')
            close_level(j);
        else
            begin_value(f, c);
        break;
    case VALUE: begin_value(f, c); break;
    case AFTER: after_value(f, c); break;
    default: fail_in(f, W_CORRUPT, "here the line has to end");
    }
}

/* ---- lines ---- */

static void end_line(struct feed *f)
{
    const struct w_json_line *j = f->line;

    if (j->state != START && j->state != DONE)
        fail_in(f, W_CORRUPT, "the line ends inside of the object");
    else if (j->state == DONE && !j->seen)
        fail_of_member(f, "is no member of the object");
}

/* One character, or a run of them. */
static void step(struct feed *f)
{
    struct w_json_line *j = f->line;
    const u8 c = f->bytes[f->at];

    if (j->state == STRING) {
        in_string(f);
        return;
    }
    if (j->state >= MINUS && j->state <= EXP_DIGITS) {
        f->at += in_number(f, c) && !f->status;
        return;
    }
    if (c == '\n')
        end_line(f);
    else if (j->state == ESCAPE)
        in_escape(f, c);
    else if (j->state == HEX)
        in_hex(f, c);
    else if (j->state == WORD)
        in_word(f, c);
    else if (c != ' ' && c != '\t' && c != '\r')
        begin_token(f, c);
    if (c == '\n' && !f->status)
        j->state = OVER;
    f->at += !f->status;
}

static enum w_status report(const struct feed *f, struct w_err *err)
{
    const struct w_json_line *j = f->line;

    return w_fail(err, f->status, "line %llu, column %llu: JSON: %s%.100s%s%s",
                  (unsigned long long)j->line, (unsigned long long)j->column,
                  f->of_member ? "\"" : "", f->of_member ? j->name : "", f->of_member ? "\" " : "",
                  f->why);
}

enum w_status w_json_line_feed(struct w_json_line *j, const u8 *bytes, size_t size, size_t *used,
                               struct w_err *err)
{
    struct feed f = {.line = j, .bytes = bytes, .size = size};

    if (j->state == OVER && size > 0)
        begin_line(j);
    while (!f.status && j->state != OVER && f.at < size)
        step(&f);
    if (f.at > 0)
        j->column += characters(bytes, f.at);
    j->offset += f.at;
    *used = f.at;
    if (f.status)
        return report(&f, err);
    return j->state == OVER && size > 0 ? W_DONE : W_NO;
}

enum w_status w_json_line_end(struct w_json_line *j, struct w_err *err)
{
    struct feed f = {.line = j};

    if (j->state == OVER)
        return W_END;
    end_line(&f);
    j->state = OVER;
    return f.status ? report(&f, err) : W_DONE;
}
