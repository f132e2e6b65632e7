/* cJSON behind checks of our own.
 *
 * Before cJSON sees a text, one pass over its bytes bounds the depth (cJSON recurses) and the
 * number of values (it allocates each), and refuses what is not UTF-8. After it, each object's keys
 * are sorted to find duplicates. A struct w_json is a cJSON node under another name. */
#include "sys/json.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "sys/output.h"

#define DEPTH_MAX 16
#define VALUES_MAX 100000

static const cJSON *node(const struct w_json *j)
{
    return (const cJSON *)j;
}
static cJSON *node_mut(struct w_json *j)
{
    return (cJSON *)j;
}
static struct w_json *wrap(cJSON *c)
{
    return (struct w_json *)c;
}

/* ---- reading ---- */

/* Bound the depth and the number of values, before cJSON recurses or allocates. */
static enum w_status scan(const char *text, size_t size, size_t values_max, struct w_err *err)
{
    size_t depth = 0, values = 1;
    bool in_string = false;
    u32 code;

    for (size_t i = 0, n; i < size; i += n) {
        n = w_utf8_decode((const u8 *)text + i, size - i, &code);
        if (n == 0 || text[i] == 0)
            return w_fail(err, W_CORRUPT, "JSON: byte %zu is not UTF-8 text", i);
        if (n > 1)
            continue;
        if (in_string) {
            if (size - i >= 6 && !memcmp(text + i, "\\u0000", 6))
                return w_fail(err, W_CORRUPT, "JSON: byte %zu is a NUL, which text cannot hold", i);
            if (text[i] == '\\' && i + 1 < size)
                n = w_utf8_decode((const u8 *)text + i + 1, size - i - 1, &code) ? 2 : 1;
            else if (text[i] == '"')
                in_string = false;
            continue;
        }
        if (text[i] == '"')
            in_string = true;
        else if (text[i] == '{' || text[i] == '[')
            depth++, values++;
        else if ((text[i] == '}' || text[i] == ']') && depth > 0)
            depth--;
        else if (text[i] == ',')
            values++;
        if (depth > DEPTH_MAX || values > values_max)
            return w_fail(err, W_LIMIT, "JSON: more than %d levels or %zu values", DEPTH_MAX,
                          values_max);
    }
    return W_DONE;
}

static int by_key(const void *a, const void *b)
{
    const cJSON *const *x = a, *const *y = b;
    return strcmp((*x)->string, (*y)->string);
}

/* cJSON answers with the first of two equal keys and jq with the last: neither is accepted. */
static enum w_status refuse_duplicates(const cJSON *parent, struct w_err *err)
{
    size_t count = 0;
    enum w_status status = W_DONE;

    for (const cJSON *c = parent->child; c; c = c->next) {
        count++;
        if (c->child)
            status = refuse_duplicates(c, err);
        if (status)
            return status;
    }
    if (!cJSON_IsObject(parent) || count < 2)
        return W_DONE;
    const cJSON **keys = malloc(count * sizeof *keys);
    if (!keys)
        return w_fail(err, W_NOMEM, "JSON: no memory for %zu keys", count);
    size_t i = 0;
    for (const cJSON *c = parent->child; c; c = c->next)
        keys[i++] = c;
    qsort(keys, count, sizeof *keys, by_key);
    for (i = 1; i < count && !status; i++)
        if (!strcmp(keys[i - 1]->string, keys[i]->string))
            status =
                w_fail(err, W_CORRUPT, "JSON: the key \"%.100s\" occurs twice", keys[i]->string);
    free(keys);
    return status;
}

static size_t line_at(const char *text, size_t offset)
{
    size_t line = 1;
    for (size_t i = 0; i < offset; i++)
        line += text[i] == '\n';
    return line;
}

/* cJSON returns NULL for a syntax error and for lack of memory alike: its allocator notes the
 * latter. */
static _Thread_local bool no_memory;

static void *noting_malloc(size_t size)
{
    void *memory = malloc(size);
    no_memory |= !memory;
    return memory;
}

static void note_memory(void)
{
    cJSON_InitHooks(&(cJSON_Hooks){.malloc_fn = noting_malloc, .free_fn = free});
}

enum w_status w_json_parse(struct w_json **root, const char *text, size_t size, struct w_err *err)
{
    return w_json_parse_large(root, text, size, VALUES_MAX, err);
}

enum w_status w_json_parse_large(struct w_json **root, const char *text, size_t size,
                                 size_t values_max, struct w_err *err)
{
    *root = NULL;
    enum w_status status = scan(text, size, values_max, err);
    if (status)
        return status;
    /* A copy followed by a NUL: cJSON's number parser looks one byte further. */
    char *copy = malloc(size + 1);
    if (!copy)
        return w_fail(err, W_NOMEM, "JSON: no memory for %zu bytes", size);
    memcpy(copy, text, size);
    copy[size] = 0;
    static pthread_once_t hooked = PTHREAD_ONCE_INIT;
    const char *end = NULL;
    pthread_once(&hooked, note_memory);
    no_memory = false;
    cJSON *tree = cJSON_ParseWithLengthOpts(copy, size + 1, &end, true);
    if (!tree && no_memory)
        status = w_fail(err, W_NOMEM, "JSON: no memory for %zu bytes", size);
    else if (!tree)
        status = w_fail(err, W_CORRUPT, "JSON: syntax error in line %zu",
                        line_at(copy, end ? (size_t)(end - copy) : 0));
    else
        status = refuse_duplicates(tree, err);
    free(copy);
    if (status)
        cJSON_Delete(tree);
    else
        *root = wrap(tree);
    return status;
}

void w_json_free(struct w_json *root)
{
    cJSON_Delete(node_mut(root));
}

struct w_json *w_json_get(const struct w_json *object, const char *key)
{
    return wrap(cJSON_GetObjectItemCaseSensitive(node(object), key));
}

struct w_json *w_json_at(const struct w_json *array, size_t index)
{
    return index > INT32_MAX ? NULL : wrap(cJSON_GetArrayItem(node(array), (int)index));
}

struct w_json *w_json_first(const struct w_json *parent)
{
    return parent ? wrap(node(parent)->child) : NULL;
}

struct w_json *w_json_next(const struct w_json *child)
{
    return wrap(node(child)->next);
}

const char *w_json_key(const struct w_json *child)
{
    return node(child)->string;
}

size_t w_json_size(const struct w_json *parent)
{
    return parent ? (size_t)cJSON_GetArraySize(node(parent)) : 0;
}

bool w_json_is_object(const struct w_json *j)
{
    return cJSON_IsObject(node(j));
}

bool w_json_is_array(const struct w_json *j)
{
    return cJSON_IsArray(node(j));
}

bool w_json_is_null(const struct w_json *j)
{
    return cJSON_IsNull(node(j));
}

const char *w_json_string(const struct w_json *j)
{
    return cJSON_GetStringValue(node(j));
}

bool w_json_u64(const struct w_json *j, u64 min, u64 max, u64 *value)
{
    double d;
    if (!w_json_real(j, &d) || d < 0 || d > (double)W_JSON_INT_MAX || d != floor(d))
        return false;
    u64 n = (u64)d;
    if (n < min || n > max)
        return false;
    *value = n;
    return true;
}

bool w_json_real(const struct w_json *j, double *value)
{
    if (!cJSON_IsNumber(node(j)) || !isfinite(node(j)->valuedouble))
        return false;
    *value = node(j)->valuedouble;
    return true;
}

bool w_json_bool(const struct w_json *j, bool *value)
{
    if (!cJSON_IsBool(node(j)))
        return false;
    *value = cJSON_IsTrue(node(j));
    return true;
}

bool w_json_hex32(const struct w_json *j, u32 *value)
{
    const char *text = w_json_string(j);

    if (!text || strlen(text) != 8 || strspn(text, "0123456789abcdef") != 8)
        return false;
    *value = (u32)strtoul(text, NULL, 16);
    return true;
}

enum w_status w_json_need_u64(const struct w_json *object, const char *key, u64 min, u64 max,
                              u64 *value, struct w_err *err)
{
    if (!w_json_u64(w_json_get(object, key), min, max, value))
        return w_fail(err, W_CORRUPT, "\"%s\" must be a whole number from %llu to %llu", key,
                      (unsigned long long)min, (unsigned long long)max);
    return W_DONE;
}

enum w_status w_json_need_string(const struct w_json *object, const char *key, const char **text,
                                 struct w_err *err)
{
    *text = w_json_string(w_json_get(object, key));
    return *text ? W_DONE : w_fail(err, W_CORRUPT, "\"%s\" must be a string", key);
}

unsigned w_json_line_of(const char *text, const char *key)
{
    size_t length = strlen(key);

    for (const char *p = text; *p && (p = strstr(p, key)) != NULL; p++) {
        const char *after = p + length;
        if (p == text || p[-1] != '"' || *after != '"')
            continue;
        after += 1 + strspn(after + 1, " \t\r\n");
        if (*after == ':')
            return (unsigned)line_at(text, (size_t)(p - text));
    }
    return 0;
}

/* ---- writing ---- */

struct w_json *w_json_object(void)
{
    return wrap(cJSON_CreateObject());
}

struct w_json *w_json_array(void)
{
    return wrap(cJSON_CreateArray());
}

/* A value is missing from this tree: make it unprintable, since cJSON refuses invalid nodes. */
static void poison(struct w_json *parent)
{
    if (parent)
        node_mut(parent)->type = cJSON_Invalid;
}

void w_json_set(struct w_json *object, const char *key, struct w_json *child)
{
    if (object)
        cJSON_DeleteItemFromObjectCaseSensitive(node_mut(object), key);
    w_json_append(object, key, child);
}

void w_json_append(struct w_json *object, const char *key, struct w_json *child)
{
    if (!object || !child || !cJSON_AddItemToObject(node_mut(object), key, node_mut(child))) {
        w_json_free(child);
        poison(object);
    }
}

void w_json_add(struct w_json *array, struct w_json *child)
{
    if (!array || !child || !cJSON_AddItemToArray(node_mut(array), node_mut(child))) {
        w_json_free(child);
        poison(array);
    }
}

static struct w_json *new_u64(u64 value)
{
    /* cJSON prints 15 digits where they seem enough: larger integers are stored as their digits. */
    char digits[24];
    if (value < 1000000000000000ull)
        return wrap(cJSON_CreateNumber((double)value));
    snprintf(digits, sizeof digits, "%llu", (unsigned long long)value);
    return wrap(cJSON_CreateRaw(digits));
}

static struct w_json *new_real(double value)
{
    if (isnan(value))
        return wrap(cJSON_CreateString("NaN"));
    if (isinf(value))
        return wrap(cJSON_CreateString(value > 0 ? "Infinity" : "-Infinity"));
    /* cJSON prints 15 digits even where that changes the last place; a run that is resumed from a
     * file needs exactly the same number. */
    char digits[32];
    snprintf(digits, sizeof digits, "%.15g", value);
    if (strtod(digits, NULL) == value)
        return wrap(cJSON_CreateNumber(value));
    snprintf(digits, sizeof digits, "%.17g", value);
    return wrap(cJSON_CreateRaw(digits));
}

void w_json_set_u64(struct w_json *object, const char *key, u64 value)
{
    w_json_set(object, key, new_u64(value));
}

void w_json_set_real(struct w_json *object, const char *key, double value)
{
    w_json_set(object, key, new_real(value));
}

/* JSON is UTF-8, but the name of a file may hold any bytes: they become U+FFFD. A text of NULL is
 * one for which there was no memory. */
static struct w_json *new_string(const char *text)
{
    char *mended = text ? w_utf8_mended(text, strlen(text)) : NULL;
    struct w_json *j = mended ? wrap(cJSON_CreateString(mended)) : NULL;

    free(mended);
    return j;
}

void w_json_set_hex32(struct w_json *object, const char *key, u32 value)
{
    char text[16];

    snprintf(text, sizeof text, "%08x", (unsigned)value);
    w_json_set_string(object, key, text);
}

void w_json_set_null(struct w_json *object, const char *key)
{
    w_json_set(object, key, wrap(cJSON_CreateNull()));
}

void w_json_set_bool(struct w_json *object, const char *key, bool value)
{
    w_json_set(object, key, wrap(cJSON_CreateBool(value)));
}

void w_json_set_string(struct w_json *object, const char *key, const char *text)
{
    w_json_set(object, key, new_string(text));
}

void w_json_add_u64(struct w_json *array, u64 value)
{
    w_json_add(array, new_u64(value));
}

void w_json_add_real(struct w_json *array, double value)
{
    w_json_add(array, new_real(value));
}

void w_json_add_string(struct w_json *array, const char *text)
{
    w_json_add(array, new_string(text));
}

struct w_json *w_json_copy(const struct w_json *j)
{
    return j ? wrap(cJSON_Duplicate(node(j), true)) : NULL;
}

static char *print(const struct w_json *j, bool pretty, struct w_err *err)
{
    char *text = pretty ? cJSON_Print(node(j)) : cJSON_PrintUnformatted(node(j));
    if (!text)
        w_fail(err, W_NOMEM, "no memory for JSON text");
    return text;
}

char *w_json_text(const struct w_json *j, struct w_err *err)
{
    return print(j, false, err);
}

/* DEL and U+0080 to U+009F stand in strings as they are, and a terminal obeys them. */
static size_t control_at(const char *text, unsigned *code)
{
    const u8 *at = (const u8 *)text;
    const bool two = at[0] == 0xC2 && at[1] >= 0x80 && at[1] <= 0x9F;

    *code = two ? at[1] : at[0];
    return two ? 2 : at[0] == 0x7F;
}

/* The text with these as escapes; takes it over. */
static char *printable(char *text, struct w_err *err)
{
    size_t controls = 0;
    unsigned code;

    for (const char *at = text; at && *at; at++)
        controls += control_at(at, &code) > 0;
    if (controls == 0)
        return text;
    char *escaped = malloc(strlen(text) + 5 * controls + 1), *out = escaped;
    for (const char *at = text; escaped && *at;) {
        const size_t size = control_at(at, &code);
        if (size > 0)
            out += sprintf(out, "\\u%04x", code);
        else
            *out++ = *at;
        at += W_MAX(size, 1);
    }
    if (escaped)
        *out = 0;
    else
        w_fail(err, W_NOMEM, "no memory for JSON text");
    free(text);
    return escaped;
}

char *w_json_pretty(const struct w_json *j, struct w_err *err)
{
    return printable(print(j, true, err), err);
}

static enum w_status line(const struct w_json *j, bool pretty, char **text, size_t *size,
                          struct w_err *err)
{
    *text = printable(print(j, pretty, err), err);
    if (!*text)
        return W_NOMEM;
    *size = strlen(*text) + 1;
    (*text)[*size - 1] = '\n';
    return W_DONE;
}

enum w_status w_json_line(const struct w_json *j, char **text, size_t *size, struct w_err *err)
{
    return line(j, false, text, size, err);
}

enum w_status w_json_save(const struct w_json *j, bool pretty, const char *path, struct w_err *err)
{
    char *text = NULL;
    size_t size;

    enum w_status status = line(j, pretty, &text, &size, err);
    if (!status)
        status = w_output_whole(path, text, size, err);
    free(text);
    return status;
}

const char *w_cjson_version(void)
{
    return cJSON_Version();
}
