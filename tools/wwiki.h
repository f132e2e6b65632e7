/* wwiki.h - what the two jobs of wwiki share. */
#ifndef W_WWIKI_H
#define W_WWIKI_H

#include "sys/fdio.h"
#include "sys/file_list.h"
#include "tools/cli.h"
#include "wiki/clean.h"
#include "wiki/wiki_block.h"
#include "wiki/wikitext.h"

enum unescape { UNESCAPE_AUTO, UNESCAPE_YES, UNESCAPE_NO };

struct settings {
    const char *output, *log, *separator, *inlines, *math, *item, *drop_sections, *field;
    struct w_text_list namespaces;
    u64 threads, count;
    u32 format;   /* enum w_wiki_form */
    u32 headings; /* enum w_wiki_headings */
    u32 unescape; /* enum unescape */
    bool clean, title, no_disambiguation, tables;
};

/* What became of the pages. They are in one of: other_namespace to documents. */
struct counts {
    u64 pages, other_namespace, redirects, other_models, disambiguations, empty, documents;
    u64 text_bytes; /* of the documents */
    struct w_clean_counts cleaned;
    u64 read_bytes; /* --clean: of the files, unpacked */
};

/* One run, from its input to its output. */
struct run {
    const struct settings *set;
    struct w_file_list files;
    struct w_output out;
    u32 threads;
    struct counts counts;
    u64 bytes; /* of the files before the present one */
    double started_s;
};

/* Dumps to documents. */
enum w_status wwiki_extract(struct run *, struct w_err *) W_MUST_CHECK;

/* The text of other extractors without what they left in it. */
enum w_status wwiki_clean(struct run *, struct w_err *) W_MUST_CHECK;

/* Show how far it is: bytes of the present file. */
void wwiki_progress(const struct run *, u64 bytes, bool last);

#endif
