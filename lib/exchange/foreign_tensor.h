/* foreign_tensor.h - the tensors of a file of another program: their names, types and shapes, where
 * their bytes are, and how they become ours.
 *
 *     struct w_foreign_list list = {0};
 *     w_foreign_add(&list, &tensor, &err);                // for each that the file lists
 *     w_foreign_check(&list, data_start, file_bytes, &err)    // nothing overlaps or lies outside
 *     w_foreign_read(&list, &in, &conf, name_of, "output.weight", &weights, &err);    // converted
 *     w_foreign_release(&list);
 *
 * A file is refused before memory is allocated for weights that it does not have. */
#ifndef W_FOREIGN_TENSOR_H
#define W_FOREIGN_TENSOR_H

#include "exchange/weight_type.h"
#include "store/weights.h"
#include "sys/input.h"

#define W_FOREIGN_NAME 128 /* bytes of a name, with the NUL: far longer than those of a model */
#define W_FOREIGN_DIMS 4

struct w_foreign {
    char name[W_FOREIGN_NAME]; /* printable */
    char type_name[16];        /* printable, for messages */
    bool known_type;           /* type is one of ours */
    bool turned;               /* a matrix is (in, out): its columns are our rows */
    bool used;                 /* by w_foreign_read(), or it may be left */
    enum w_weight_type type;
    u32 ndim;
    u64 shape[W_FOREIGN_DIMS]; /* the last varies fastest in the file */
    u64 offset, bytes;         /* in the file */
};

struct w_foreign_list {
    struct w_foreign *items;
    size_t count, room;
};

/* What a file calls its type, and the type of that name in `names`, where unknown ones are NULL. */
void w_foreign_set_type(struct w_foreign *, const char *const names[W_WEIGHT_TYPES],
                        const char *name);
/* The numbers of its shape; false if they cannot be counted. */
bool w_foreign_count(const struct w_foreign *, u64 *count) W_MUST_CHECK;
/* Copies *tensor. W_NOMEM. */
enum w_status w_foreign_add(struct w_foreign_list *, const struct w_foreign *tensor,
                            struct w_err *) W_MUST_CHECK;
void w_foreign_release(struct w_foreign_list *);

/* Sort by name. W_CORRUPT: a name twice, or bytes that are not in [start, end) of the file or
 * belong to two tensors; or a size that is not that of the shape, where the type is known.
 * W_NOMEM. */
enum w_status w_foreign_check(struct w_foreign_list *, u64 start, u64 end,
                              struct w_err *) W_MUST_CHECK;
/* In a list that was checked; NULL: none. */
struct w_foreign *w_foreign_find(const struct w_foreign_list *, const char *name);

/* Does a tensor of the file stand for one of ours? W_MISMATCH: another shape, or a type that is not
 * read here, with the reason. tensor NULL: it is missing. */
enum w_status w_foreign_fits(const struct w_foreign *, const struct w_tensor *,
                             struct w_err *) W_MUST_CHECK;
/* Read one into `to`, of which it is known that it fits. W_CORRUPT: numbers that are not finite;
 * W_TRUNCATED, W_IO, W_NOMEM (for one row). */
enum w_status w_foreign_read_one(const struct w_foreign *, struct w_input *,
                                 const struct w_tensor *, float *to, struct w_err *) W_MUST_CHECK;

/* The name, in the file, of a tensor of ours. */
typedef void w_foreign_namer(const struct w_tensor *, char name[W_FOREIGN_NAME]);
/* Make weights of a configuration and read all of its tensors; those of the list that were needed
 * become used. A tensor named `head` is one only in name where its numbers are those of the table
 * of ids, to which ours is tied. W_MISMATCH: they are not, or a tensor would be left that was not
 * used. Else fails as the functions above, and as w_weights_init(); *w is to be released. */
enum w_status w_foreign_read(struct w_foreign_list *list, struct w_input *in,
                             const struct w_conf *conf, w_foreign_namer *name_of, const char *head,
                             struct w_weights *w, struct w_err *err) W_MUST_CHECK;

#endif
