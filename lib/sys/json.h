/* json.h - JSON in and out. The only user of cJSON.
 *
 * Reading is strict, because files from any source are parsed: UTF-8 without NUL, at
 * most 16 levels and 100,000 values, no duplicate keys, nothing after the value, integers up to
 * 2^53 - 1. Names are matched by case. A tree is owned by its root; nodes taken from it are not to
 * be freed.
 *
 *     struct w_json *j = w_json_object();
 *     w_json_set_u64(j, "step", 12);
 *     char *text = w_json_text(j, &err);      // {"step":12}; free() it
 *     w_json_free(j);
 *
 * The set functions remember a lack of memory in the tree; w_json_text() reports it, so that
 * building needs one check. */
#ifndef W_JSON_H
#define W_JSON_H

#include "base/status.h"

struct w_json;

/* ---- reading ---- */
/* W_CORRUPT: not such a text; W_LIMIT: too many levels or values; W_NOMEM. The caller frees *root,
 * which is NULL after a failure. */
enum w_status w_json_parse(struct w_json **root, const char *text, size_t size,
                           struct w_err *err) W_MUST_CHECK;
/* The same with another limit of values, for large files such as another program's vocabulary. */
enum w_status w_json_parse_large(struct w_json **root, const char *text, size_t size,
                                 size_t values_max, struct w_err *err) W_MUST_CHECK;
void w_json_free(struct w_json *root); /* accepts NULL */

/* The member of an object by its key, or NULL; an element of an array, or NULL. */
struct w_json *w_json_get(const struct w_json *object, const char *key);
struct w_json *w_json_at(const struct w_json *array, size_t index);
/* Walk an object or array: first child, next sibling; the key of a child of an object. */
struct w_json *w_json_first(const struct w_json *parent);
struct w_json *w_json_next(const struct w_json *child);
const char *w_json_key(const struct w_json *child);
size_t w_json_size(const struct w_json *parent);

bool w_json_is_object(const struct w_json *);
bool w_json_is_array(const struct w_json *);
bool w_json_is_null(const struct w_json *);
/* The text of a string, else NULL. */
const char *w_json_string(const struct w_json *);
/* True and the value if the node is a whole number in [min, max] (at most 2^53 - 1). */
bool w_json_u64(const struct w_json *, u64 min, u64 max, u64 *value) W_MUST_CHECK;
bool w_json_real(const struct w_json *, double *value) W_MUST_CHECK;
bool w_json_bool(const struct w_json *, bool *value) W_MUST_CHECK;
/* 8 hexadecimal digits in a string, as w_json_set_hex32() writes them. */
bool w_json_hex32(const struct w_json *, u32 *value) W_MUST_CHECK;

/* The same for a required member: W_CORRUPT, naming the key, if it is missing or not such a
 * value. */
enum w_status w_json_need_u64(const struct w_json *object, const char *key, u64 min, u64 max,
                              u64 *value, struct w_err *err) W_MUST_CHECK;
enum w_status w_json_need_string(const struct w_json *object, const char *key, const char **text,
                                 struct w_err *err) W_MUST_CHECK;

/* The line (from 1) of a key in the text that was parsed, for messages; 0 if not found. */
unsigned w_json_line_of(const char *text, const char *key);

/* ---- writing ---- */
struct w_json *w_json_object(void);
struct w_json *w_json_array(void);
void w_json_set_u64(struct w_json *object, const char *key, u64 value);
/* NaN and infinities become the strings "NaN", "Infinity", "-Infinity". */
void w_json_set_real(struct w_json *object, const char *key, double value);
void w_json_set_bool(struct w_json *object, const char *key, bool value);
void w_json_set_string(struct w_json *object, const char *key, const char *text);
void w_json_set_hex32(struct w_json *object, const char *key, u32 value);
void w_json_set_null(struct w_json *object, const char *key);
/* Takes over child, also when it fails. Replaces a member of that name. */
void w_json_set(struct w_json *object, const char *key, struct w_json *child);
/* The same for a name that is known to be new, without the search for it, which is linear. */
void w_json_append(struct w_json *object, const char *key, struct w_json *child);
void w_json_add(struct w_json *array, struct w_json *child);
void w_json_add_u64(struct w_json *array, u64 value);
void w_json_add_real(struct w_json *array, double value);
void w_json_add_string(struct w_json *array, const char *text);
/* A deep copy, owned by the caller; NULL for NULL or without memory. */
struct w_json *w_json_copy(const struct w_json *);

/* One line without a newline, for hashes and comparisons; or indented lines, for people. free() it.
 * NULL, with an error, without memory. What is written for people or as a line has no control
 * characters: those that JSON allows as they are, DEL and U+0080 to U+009F, which a terminal obeys,
 * are escaped. */
char *w_json_text(const struct w_json *, struct w_err *err) W_MUST_CHECK;
char *w_json_pretty(const struct w_json *, struct w_err *err) W_MUST_CHECK;
/* The text and a newline in the place of the NUL, so that the line can be written by one call and
 * is never torn. The caller frees *text; *size includes the newline. W_NOMEM, with *text NULL. */
enum w_status w_json_line(const struct w_json *, char **text, size_t *size,
                          struct w_err *err) W_MUST_CHECK;

/* Write the text and a newline as a whole file. W_NOMEM, else as w_output_whole(). */
enum w_status w_json_save(const struct w_json *, bool pretty, const char *path,
                          struct w_err *err) W_MUST_CHECK;

/* The version of cJSON at run time, for --version. */
const char *w_cjson_version(void);

#endif
