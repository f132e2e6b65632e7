/* GEMM by blocks (Goto and van de Geijn, 2008): each operand is cut so that it is read over and
 * over from the level of memory that holds it (blocks.h).
 *
 *     chunk of k    as many panels of b as there is memory for, packed by all threads
 *       item        a block of c for one thread: some rows and columns
 *         block of k    one panel stays in L1, the item's rows of a stay in L2
 *           panel of b      the micro-kernel, down all rows of the item
 *
 * Each element of c is one sum in the order of k: it starts from `add`, and after a cut of k it
 * goes on from c. So neither the cuts nor the threads change a bit. The cost is 2 m n k FLOPs; b is
 * packed once, a once for each item's columns. */
#include "kern/gemm.h"

/* Panels after which epilogue() is called where c is in memory: few enough for the block to be in
 * L1 or L2 still. */
#define EPILOGUE_PANELS 8
#define PACKED_CHUNK 2048 /* of k, where panels are packed already */
#define PAGE 4096         /* bytes in which the sets of L1 repeat */
/* Items for each thread, so that one that is done early takes over from another. With more of them,
 * blocks of a are packed or panels read more often. */
#define ITEMS_PER_WORKER 2

/* A GEMM, or one chunk of its k, cut into items: blocks of rows times groups of columns. */
struct job {
    const struct w_engine *engine;
    const struct w_gemm *g;
    const struct w_ukernel *ukernel;
    const u8 *panels; /* b packed: panel j at panels + j * panel_bytes */
    u64 panel_bytes;
    u64 step_bytes;             /* of k_unroll numbers of k in a panel */
    u64 k0, k1;                 /* the chunk */
    u64 row_tiles;              /* of c */
    u64 row_blocks, col_blocks; /* of items */
    u64 block_cols;
};

/* Are panels of 8 bits unpacked, for the micro-kernel of a's type? */
static bool unpacks(const struct w_engine *engine, const struct w_gemm *g)
{
    return g->type == W_TYPE_Q8 && engine->unpack_q8;
}

/* The type of a's elements. */
static enum w_type row_type(const struct w_gemm *g)
{
    return g->type == W_TYPE_Q8 ? W_TYPE_BF16 : g->type;
}

/* The type of b's elements before they are packed. */
static enum w_type source_type(const struct w_gemm *g)
{
    return g->type == W_TYPE_Q8 ? W_TYPE_F32 : g->type;
}

/* The micro-kernel whose panels b is packed in; and the one that multiplies. */
static const struct w_ukernel *packer_of(const struct w_engine *engine, const struct w_gemm *g)
{
    return g->type == W_TYPE_Q8 ? &engine->q8->ukernel : &engine->kern->ukernel[g->type];
}

static const struct w_ukernel *ukernel_of(const struct w_engine *engine, const struct w_gemm *g)
{
    return unpacks(engine, g) ? &engine->kern->ukernel[row_type(g)] : packer_of(engine, g);
}

static const struct w_blocks *blocks_of(const struct w_engine *engine, const struct w_gemm *g)
{
    return g->type == W_TYPE_Q8 && !engine->unpack_q8 ? &engine->q8_blocks
                                                      : &engine->blocks[row_type(g)];
}

/* ---- packing of b ---- */

struct packing {
    const struct w_ukernel *ukernel;
    const struct w_gemm *g;
    u8 *packed;
    u64 k0, k1;
    u64 panel_bytes;
};

static u64 panel_bytes(const struct w_ukernel *ukernel, enum w_type type, u64 k)
{
    return w_panel_bytes(type, w_round_up(k, ukernel->k_unroll) * ukernel->tile_cols);
}

static void pack_item(void *context, u64 panel, u32 worker)
{
    const struct packing *p = context;
    const struct w_gemm *g = p->g;
    u64 col = panel * p->ukernel->tile_cols;
    u32 cols = (u32)W_MIN(g->n - col, p->ukernel->tile_cols);

    (void)worker;
    p->ukernel->pack_panel(p->packed + panel * p->panel_bytes,
                           w_at(g->b, source_type(g), p->k0 * g->b_row + col * g->b_col), g->b_row,
                           g->b_col, p->k1 - p->k0, cols);
}

static void pack_chunk(const struct w_engine *engine, void *packed, const struct w_gemm *g, u64 k0,
                       u64 k1)
{
    const struct w_ukernel *ukernel = packer_of(engine, g);
    struct packing packing = {.ukernel = ukernel,
                              .g = g,
                              .packed = packed,
                              .k0 = k0,
                              .k1 = k1,
                              .panel_bytes = panel_bytes(ukernel, g->type, k1 - k0)};
    w_team_for(engine->team, w_ceil_div(g->n, ukernel->tile_cols), pack_item, &packing);
}

/* Is it done by a library, which packs for itself? */
static bool by_library(const struct w_engine *engine, const struct w_gemm *g)
{
    return engine->kern->product && g->type == W_TYPE_F32;
}

void w_gemm_pack(const struct w_engine *engine, void *packed, const struct w_gemm *g)
{
    if (!by_library(engine, g))
        pack_chunk(engine, packed, g, 0, g->k);
}

/* ---- one block of c ---- */

struct block {
    u64 row, rows, col, cols;
    u64 k0, k1;    /* the block of k */
    const void *a; /* its rows from k0 to k1, as struct w_tile has them */
    u64 a_row;
    const u8 *panels; /* its panels of b, from k0 to k1: that of column `first_col`, and so on */
    u64 first_col, panel_bytes;
    float *result; /* scratch: (rows, W_EPILOGUE_COLS) */
    u8 *unpacked;  /* scratch: panels of W_EPILOGUE_COLS columns */
};

/* The address of c's element (block->row, col): in c, or in the scratch that stands for it. */
static float *place_of(const struct job *job, const struct block *block, u64 col, u64 *c_row)
{
    const struct w_gemm *g = job->g;

    *c_row = g->c ? g->c_row : W_EPILOGUE_COLS;
    return g->c ? g->c + block->row * g->c_row + col : block->result + col % W_EPILOGUE_COLS;
}

/* The panels of columns [col, end) against all rows of the block. */
static struct w_tile tile_of(const struct job *job, const struct block *block, u64 col, u64 end)
{
    const struct w_ukernel *ukernel = job->ukernel;
    const struct w_gemm *g = job->g;
    const u64 panels = w_ceil_div(end - col, ukernel->tile_cols);
    struct w_tile tile = {
        .k = w_round_up(block->k1 - block->k0, ukernel->k_unroll),
        .a = block->a,
        .a_row = block->a_row,
        .b = block->panels + (col - block->first_col) / ukernel->tile_cols * block->panel_bytes,
        .rows = block->rows,
        .cols = (u32)(end - col),
        .b_panel = block->panel_bytes,
    };

    tile.c = place_of(job, block, col, &tile.c_row);
    tile.next = (const u8 *)tile.b + panels * block->panel_bytes;
    if (block->k0) {
        tile.add = tile.c;
        tile.add_row = tile.c_row;
    } else if (g->add) {
        tile.add = g->add + block->row * g->add_row + col;
        tile.add_row = g->add_row;
    }
    return tile;
}

/* The block's rows of a: packed into the worker's scratch, which most micro-kernels read a tenth
 * faster than rows that are kilobytes apart; or unpacked, where the micro-kernel reads them as fast
 * and saves the packing, which for few columns is a tenth of the time too. */
static void take_rows(const struct job *job, struct block *block, void *own)
{
    const struct w_gemm *g = job->g;
    const struct w_ukernel *ukernel = job->ukernel;
    const void *a = w_at(g->a, row_type(g), block->row * g->a_row + block->k0 * g->a_col);
    const u64 k = block->k1 - block->k0;

    /* rows in the same place of every page compete for the same lines of L1 */
    const bool apart = !ukernel->meanwhile_too || g->a_row * w_type_bytes(row_type(g)) % PAGE != 0;
    const bool fits = (ukernel->reads_rows && apart && block->rows % ukernel->tile_rows == 0) ||
                      block->rows <= ukernel->few_rows;
    const bool unpacked = fits && g->a_col == 1 && k % ukernel->k_unroll == 0;

    if (!unpacked)
        ukernel->pack_rows(own, a, g->a_row, g->a_col, k, block->rows);
    block->a = unpacked ? a : own;
    block->a_row = unpacked ? g->a_row : 0;
}

/* The panels of columns [col, end): as they are packed, or unpacked into the worker's scratch. */
static void take_panels(const struct job *job, struct block *block, u64 col, u64 end)
{
    const struct w_ukernel *ukernel = job->ukernel;
    const u64 k = block->k1 - block->k0;
    const u8 *packed = job->panels + col / ukernel->tile_cols * job->panel_bytes +
                       (block->k0 - job->k0) / ukernel->k_unroll * job->step_bytes;

    block->first_col = col;
    block->panels = packed;
    block->panel_bytes = job->panel_bytes;
    if (!unpacks(job->engine, job->g))
        return;
    block->panels = block->unpacked;
    block->panel_bytes = panel_bytes(ukernel, row_type(job->g), k);
    for (u64 i = 0; i < w_ceil_div(end - col, ukernel->tile_cols); i++)
        job->engine->q8->unpack_panel((w_bf16 *)(void *)(block->unpacked + i * block->panel_bytes),
                                      packed + i * job->panel_bytes, k);
}

/* The first row of a block of rows. Each has as many tiles as the others or one more. */
static u64 first_row(const struct job *job, u64 block)
{
    return w_ceil_div(block * job->row_tiles, job->row_blocks) * job->ukernel->tile_rows;
}

/* Which part of c an item is. Items that follow each other share the columns of b if that is the
 * larger matrix, else the rows of a, so that the larger one is read from memory once. */
static void place_item(const struct job *job, u64 item, struct block *block)
{
    const struct w_gemm *g = job->g;
    bool down = g->n > g->m;

    const u64 row_block = down ? item % job->row_blocks : item / job->col_blocks;

    block->row = first_row(job, row_block);
    block->rows = W_MIN(first_row(job, row_block + 1), g->m) - block->row;
    block->col = (down ? item / job->row_blocks : item % job->col_blocks) * job->block_cols;
    block->cols = W_MIN(g->n - block->col, job->block_cols);
}

/* Columns [col, end) of the block, for one block of k. */
static void multiply_group(const struct job *job, const struct block *block, u64 col, u64 end)
{
    const struct w_gemm *g = job->g;
    const u64 step = job->ukernel->tile_cols;

    for (u64 j = col; j < end; j += step) {
        const struct w_tile tile = tile_of(job, block, j, W_MIN(j + step, end));
        job->ukernel->run(&tile);
    }
    if (g->epilogue && block->k1 == g->k) {
        struct w_result_block result = {
            .row = block->row, .rows = block->rows, .col = col, .cols = end - col};
        result.c = place_of(job, block, col, &result.c_row);
        g->epilogue(g->context, &result);
    }
}

/* ---- with work for meanwhile ---- */

/* Results whose epilogue is called, some rows at a time, while the next ones are computed. */
struct pending {
    const struct w_gemm *g;
    struct w_result_block block; /* what is left */
    u64 rows;                    /* at a time */
    u64 turn;                    /* of the two tiles in the scratch */
};

static void finish_rows(struct pending *p, u64 rows)
{
    struct w_result_block block = p->block;

    block.rows = W_MIN(rows, block.rows);
    if (block.rows == 0)
        return;
    p->g->epilogue(p->g->context, &block);
    p->block.c += block.rows * block.c_row;
    p->block.row += block.rows;
    p->block.rows -= block.rows;
}

static void finish_some(void *context)
{
    struct pending *p = context;
    finish_rows(p, p->rows);
}

static void finish_all(struct pending *p)
{
    finish_rows(p, p->block.rows);
}

/* The same as multiply_group(), a tile of rows at a time. Where k is in one part, and only the
 * epilogue gets the result, two tiles take turns in the scratch, which stays in L1. */
static void multiply_rows(const struct job *job, const struct block *block, u64 col, u64 end,
                          struct pending *pending)
{
    const struct w_gemm *g = job->g;
    const struct w_ukernel *ukernel = job->ukernel;
    const u64 tile_rows = ukernel->tile_rows;
    const bool last = g->epilogue && block->k1 == g->k, turns = !g->c && block->k0 == 0 && last;
    struct w_tile whole = tile_of(job, block, col, end);
    const u64 a_bytes = whole.a_row ? whole.a_row * w_type_bytes(row_type(g))
                                    : whole.k * ukernel->row_bytes; /* of a row of a */
    const u64 steps = whole.k / ukernel->k_unroll * w_ceil_div(end - col, ukernel->tile_cols);

    for (u64 row = 0, n; row < block->rows; row += n) {
        struct w_tile tile = whole;
        const u64 place = turns ? pending->turn++ % 2 * tile_rows : row;
        n = W_MIN(tile_rows, block->rows - row);
        tile.rows = n;
        tile.a = (const u8 *)whole.a + row * a_bytes;
        tile.c += place * whole.c_row;
        tile.add = whole.add ? whole.add + row * whole.add_row : NULL;
        tile.meanwhile = pending->block.rows ? finish_some : NULL;
        tile.context = pending;
        const u64 least = g->epilogue_rows ? g->epilogue_rows : 1;
        pending->rows = w_round_up(w_ceil_div(pending->block.rows, steps), least);
        ukernel->run(&tile);
        finish_all(pending);
        if (last)
            pending->block = (struct w_result_block){.c = tile.c,
                                                     .c_row = tile.c_row,
                                                     .row = block->row + row,
                                                     .rows = n,
                                                     .col = col,
                                                     .cols = end - col};
    }
    if (!g->c && !turns)
        finish_all(pending);
}

/* Depth of a block of k at most. */
static u64 deepest_block(const struct job *job, u64 k)
{
    if (job->g->m <= job->ukernel->tile_rows &&
        !unpacks(job->engine, job->g)) /* a panel is used once, and need not stay in L1 */
        return PACKED_CHUNK;
    return k <= job->ukernel->whole_k ? k : blocks_of(job->engine, job->g)->k;
}

/* Depth of the parts of k, alike and at most `deepest`; a multiple of k_unroll. */
static u64 depth_of(const struct job *job, u64 k, u64 deepest)
{
    return w_round_up(w_ceil_div(k, w_ceil_div(k, deepest)), job->ukernel->k_unroll);
}

static void multiply_block(void *context, u64 item, u32 worker)
{
    const struct job *job = context;
    const struct w_gemm *g = job->g;
    float *own = w_engine_scratch(job->engine, worker);
    struct block block;
    u64 depth = depth_of(job, job->k1 - job->k0, deepest_block(job, job->k1 - job->k0));
    struct pending pending = {.g = g};
    const bool wide = g->c && !unpacks(job->engine, g);
    u64 group = wide ? EPILOGUE_PANELS * job->ukernel->tile_cols : W_EPILOGUE_COLS;

    place_item(job, item, &block);
    block.result = own + W_GEMM_ROWS_FLOATS;
    block.unpacked = (u8 *)(own + W_GEMM_SCRATCH_FLOATS);
    for (block.k0 = job->k0; block.k0 < job->k1; block.k0 = block.k1) {
        block.k1 = W_MIN(block.k0 + depth, job->k1);
        take_rows(job, &block, own);
        for (u64 col = block.col; col < block.col + block.cols; col += group) {
            const u64 end = W_MIN(col + group, block.col + block.cols);
            take_panels(job, &block, col, end);
            if (job->ukernel->meanwhile_too)
                multiply_rows(job, &block, col, end, &pending);
            else
                multiply_group(job, &block, col, end);
        }
    }
    finish_all(&pending);
}

/* ---- the whole ---- */

static void library_block(void *context, u64 item, u32 worker)
{
    const struct job *job = context;
    const struct w_gemm *g = job->g;
    struct block block = {0};

    (void)worker;
    place_item(job, item, &block);
    struct w_sgemm product = {
        .rows = block.rows,
        .cols = block.cols,
        .k = g->k,
        .a = (const float *)g->a + block.row * g->a_row,
        .a_row = g->a_row,
        .a_col = g->a_col,
        .b = (const float *)g->b + block.col * g->b_col,
        .b_row = g->b_row,
        .b_col = g->b_col,
        .add = g->add ? g->add + block.row * g->add_row + block.col : NULL,
        .add_row = g->add_row,
        .c = g->c + block.row * g->c_row + block.col,
        .c_row = g->c_row,
    };
    struct w_result_block result = {.c = product.c,
                                    .c_row = g->c_row,
                                    .row = block.row,
                                    .rows = block.rows,
                                    .col = block.col,
                                    .cols = block.cols};
    job->engine->kern->product(&product);
    if (g->epilogue)
        g->epilogue(g->context, &result);
}

/* Cut m into blocks of at most `rows`; their number is a multiple of `count` where there are enough
 * tiles. */
static void cut_rows(struct job *job, u64 rows, u64 count)
{
    const u64 tile_rows = job->ukernel->tile_rows;

    job->row_tiles = w_ceil_div(job->g->m, tile_rows);
    job->row_blocks = w_round_up(w_ceil_div(job->row_tiles, rows / tile_rows), count);
    job->row_blocks = W_MIN(job->row_blocks, job->row_tiles);
}

/* Columns of an item: at most those of a block, fewer where too few items would keep the threads
 * busy. (Narrower items pack blocks of a more often, lower ones read panels more often from the
 * shared cache, which costs more.) Without c an item ends where a block of results does; and where
 * k is cut as well, it is one such block, since that is all the scratch in which sums can go on. */
static u64 even_cols(const struct job *job)
{
    const struct w_gemm *g = job->g;
    const struct w_blocks *blocks = blocks_of(job->engine, g);
    const u64 multiple = g->c ? job->ukernel->tile_cols : W_EPILOGUE_COLS;
    const u64 workers = w_team_size(job->engine->team), most = w_ceil_div(g->n, W_EPILOGUE_COLS);
    const u64 enough = w_ceil_div(ITEMS_PER_WORKER * workers, job->row_blocks);
    const u64 items = W_MAX(w_ceil_div(g->n, blocks->cols), W_MIN(most, enough));

    if (!g->c && g->k > deepest_block(job, g->k))
        return W_EPILOGUE_COLS;
    return w_ceil_div(w_ceil_div(g->n, items), multiple) * multiple;
}

static void run_items(struct job *job, void (*work)(void *, u64, u32))
{
    job->col_blocks = w_ceil_div(job->g->n, job->block_cols);
    w_team_for(job->engine->team, job->row_blocks * job->col_blocks, work, job);
}

/* Depth of a chunk of k, as far as there is memory for its panels. Panels that are packed already
 * are cut too, so that all threads use the same ones while they are in the shared cache. */
static u64 chunk_depth(const struct job *job)
{
    const struct w_gemm *g = job->g;
    u64 room = job->engine->panel_floats * sizeof(float) / w_type_bytes(g->type);
    u64 deepest =
        room / w_round_up(g->n, W_TILE_COLS_MAX) / job->ukernel->k_unroll * job->ukernel->k_unroll;

    if (g->packed)
        deepest = g->c ? PACKED_CHUNK : g->k;
    return depth_of(job, g->k, deepest);
}

void w_gemm(const struct w_engine *engine, const struct w_gemm *g)
{
    const struct w_ukernel *ukernel = ukernel_of(engine, g);
    const struct w_blocks *blocks = blocks_of(engine, g);
    struct job job = {.engine = engine, .g = g, .ukernel = ukernel, .block_cols = g->n};

    if (g->m == 0 || g->n == 0)
        return;
    if (by_library(engine, g)) {
        /* It packs in every call, which only large blocks repay. */
        cut_rows(&job, 4 * (u64)blocks->rows, 4);
        run_items(&job, library_block);
        return;
    }
    /* each block of rows unpacks panels again */
    cut_rows(&job, blocks->rows, unpacks(engine, g) ? 1 : w_team_size(engine->team));
    job.block_cols = even_cols(&job);
    job.step_bytes = panel_bytes(ukernel, g->type, ukernel->k_unroll);
    const u64 depth = chunk_depth(&job);
    for (job.k0 = 0; job.k0 < g->k; job.k0 = job.k1) {
        job.k1 = W_MIN(job.k0 + depth, g->k);
        if (g->packed) {
            job.panels = (const u8 *)g->packed + job.k0 / ukernel->k_unroll * job.step_bytes;
            job.panel_bytes = panel_bytes(ukernel, g->type, g->k);
        } else {
            job.panels = (const u8 *)engine->panels;
            job.panel_bytes = panel_bytes(ukernel, g->type, job.k1 - job.k0);
            pack_chunk(engine, engine->panels, g, job.k0, job.k1);
        }
        run_items(&job, multiply_block);
    }
}
