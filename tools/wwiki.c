/* wwiki - MediaWiki dumps to documents of text. */
#include "tools/wwiki.h"

#include <stdio.h>
#include <stdlib.h>

#include "sys/clock.h"
#include "sys/json.h"

static const char *const examples[] = {
    "From a dump to a model in a pipeline",
    "wwiki enwiki.xml.bz2 | wtok encode -V wiki.vocab | wbatch -c fast.json |\n"
    "    wtrain -c fast.json -o wiki.wts",
    NULL,
};

static const struct w_program program = {
    "wwiki",
    "turn MediaWiki dumps into documents of text",
    "COMMAND",
    "The text of a wiki's pages as their readers see it: extracted from a dump, or cleaned of the "
    "markup that another extractor left.",
    .examples = examples,
};

static const struct w_command commands[] = {
    {"extract", &wwiki_extract_program},
    {"clean", &wwiki_clean_program},
    {0},
};

int main(int argc, char **argv)
{
    return w_cli_main(&program, commands, &commands[0], argc, argv);
}

/* ---- shared by the commands ---- */

void wwiki_progress(const struct run *run, const u64 *documents)
{
    char verb[40] = "read";

    if (documents)
        snprintf(verb, sizeof verb, "%llu documents, read", (unsigned long long)*documents);
    w_progress_of(false, &(struct w_task){.verb = verb,
                                          .unit = "MB",
                                          .done = (double)w_text_files_bytes(&run->files) / 1e6,
                                          .all = (double)run->list.bytes / 1e6 * run->list.sized,
                                          .seconds = w_now_s() - run->started_s,
                                          .digits = 1});
}

void wwiki_figure(struct run *run, const char *name, const char *words, u64 value)
{
    size_t i = run->figure_count++;

    run->figures[i].name = name;
    run->figures[i].words = words;
    run->figures[i].value = value;
}

static void say_figures(const struct run *run, double seconds)
{
    char line[512];
    size_t used = 0;

    for (size_t i = 0; i < run->figure_count && used < sizeof line; i++)
        used += (size_t)snprintf(line + used, sizeof line - used, "%s%llu %s", i ? ", " : "",
                                 (unsigned long long)run->figures[i].value, run->figures[i].words);
    w_say("%s; %.2f s", line, seconds);
}

static enum w_status write_log(const struct run *run, const char *path, double seconds,
                               struct w_err *err)
{
    struct w_json *json = w_json_object();

    for (size_t i = 0; i < run->figure_count; i++)
        w_json_set_u64(json, run->figures[i].name, run->figures[i].value);
    w_json_set_real(json, "seconds", seconds);
    enum w_status status = w_json_save(json, false, path, err);
    w_json_free(json);
    return status;
}

enum w_status wwiki_run(const struct wwiki_io *io, wwiki_work *work, const void *settings, int argc,
                        char **argv, struct w_err *err)
{
    struct run run = {.settings = settings, .out = {.fd = -1}, .started_s = w_now_s()};
    enum w_status status = io->log ? w_cli_refuse_same(io->output, io->log, err) : W_DONE;

    if (!status && argc == 0)
        status = w_cli_refuse_typing("name a file, or pipe one in", err);
    if (!status)
        status = w_file_list_make(&run.list, argv, (size_t)argc, err);
    if (!status)
        status = w_file_list_mark_output(&run.list, io->output, err);
    if (!status)
        status = w_file_list_mark_output(&run.list, io->log, err);
    run.threads = w_cli_threads(io->threads);
    run.files = (struct w_text_files){.list = &run.list, .threads = run.threads};
    w_signals_catch();
    if (!status)
        status = w_output_open(&run.out, io->output, err);
    if (!status)
        status = work(&run, err);
    double seconds = w_now_s() - run.started_s;
    if (!status)
        status = w_output_commit(&run.out, err);
    if (!status && io->log)
        status = write_log(&run, io->log, seconds, err);
    if (!status)
        w_warn_left_out(&run.files.left_out);
    if (!status)
        say_figures(&run, seconds);
    w_output_abort(&run.out);
    w_text_files_release(&run.files);
    w_file_list_release(&run.list);
    return status;
}
