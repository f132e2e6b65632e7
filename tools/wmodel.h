/* wmodel.h - shared by the commands of wmodel. */
#ifndef W_WMODEL_H
#define W_WMODEL_H

#include "exchange/exchange.h"
#include "tools/cli.h"

#define WMODEL_BY "wmodel " W_VERSION_TEXT

extern const struct w_program wmodel_info_program, wmodel_export_program, wmodel_import_program,
    wmodel_average_program, wmodel_strip_program, wmodel_positions_program, wmodel_ids_program;

#define WMODEL_OUTPUT_OPTION                                                                       \
    {                                                                                              \
        "output", 'o', W_OPT_TEXT, AT(output), "FILE",                                             \
            .output = true, .help = "Write the model to FILE, which appears when it is complete."  \
    }

/* A model of ours, or of another program whose format is recognised. *format: that, or NULL where
 * it is ours; format itself may be NULL. *w is to be released, also after a failure. Fails as
 * w_weights_load() and w_exchange_read(). */
enum w_status wmodel_load(struct w_weights *w, const char *path,
                          const struct w_exchange_format **format, struct w_err *) W_MUST_CHECK;
/* The operand: exactly one model. W_USAGE. */
enum w_status wmodel_one(int argc, struct w_err *) W_MUST_CHECK;
/* The option above, which has to be given. W_USAGE. */
enum w_status wmodel_need_output(const char *output, struct w_err *) W_MUST_CHECK;
/* Write a model of ours, and say what it is. As w_weights_save(). */
enum w_status wmodel_save(const struct w_weights *w, const char *path, struct w_err *) W_MUST_CHECK;
/* For w_exchange_read() and w_exchange_write(). */
void wmodel_tell(bool warning, const char *text);

#endif
