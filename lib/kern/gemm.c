#include "kern/gemm.h"

/* Pieces of c that are finished together: small enough to be in L1 or L2 still. */
#define FINISH_PANELS 8
#define LINE_FLOATS 16 /* of a cache line */
#define PACKED_SLICE 2048

/* A product or one slice of k of it, with its cut into items: blocks of rows times groups of columns. */
struct job {
    const struct w_engine *engine;
    const struct w_gemm *g;
    const float *panels; /* b packed: panel j at panels + j * panel_floats */
    u64 panel_floats;
    u64 k0, k1;                 /* the slice */
    u64 block_rows, block_cols; /* of an item */
    u64 row_blocks, col_blocks;
};

static u64 ceil_div(u64 a, u64 b)
{
    return (a + b - 1) / b;
}

/* ---- packing of b ---- */

struct packing {
    const struct w_engine *engine;
    const struct w_gemm *g;
    float *packed;
    u64 k0, k1;
};

static void pack_item(void *context, u64 panel, u32 member)
{
    const struct packing *p = context;
    const struct w_kern *kern = p->engine->kern;
    const struct w_gemm *g = p->g;
    u64 col = panel * kern->tile_cols, k = p->k1 - p->k0;
    u32 cols = (u32)W_MIN(g->n - col, kern->tile_cols);

    (void)member;
    kern->pack_panel(p->packed + panel * k * kern->tile_cols,
                     g->b + p->k0 * g->b_row + col * g->b_col, g->b_row, g->b_col, k, cols);
}

static void pack_slice(const struct w_engine *engine, float *packed, const struct w_gemm *g, u64 k0,
                       u64 k1)
{
    struct packing packing = {.engine = engine, .g = g, .packed = packed, .k0 = k0, .k1 = k1};
    w_team_for(engine->team, ceil_div(g->n, engine->kern->tile_cols), pack_item, &packing);
}

void w_gemm_pack(const struct w_engine *engine, float *packed, const struct w_gemm *g)
{
    if (!engine->kern->product)
        pack_slice(engine, packed, g, 0, g->k);
}

/* ---- one block of c ---- */

struct block {
    u64 row, rows, col, cols;
    u64 k0, k1;     /* within the job's slice */
    const float *a; /* its rows from k0 to k1, packed */
    const float *add;
    u64 add_row;
};

/* Ask for what comes after the tile at row i: the next tile of c, and a share of the next panel of b,
 * such that all of it has been asked for after the last tile. The hardware does not see either coming;
 * with this, the products of a step take 5 % less time. */
static void prefetch(const struct w_tile *tile, const struct w_kern *kern, const float **next_panel,
                     u64 floats)
{
    const float *c = tile->c + kern->tile_rows * tile->c_row;

    for (u32 r = 0; r < kern->tile_rows; r++)
        __builtin_prefetch(c + r * tile->c_row, 1, 3);
    for (u64 i = 0; i < floats; i += LINE_FLOATS)
        __builtin_prefetch(*next_panel + i, 0, 2);
    *next_panel += floats;
}

/* One panel of b against all rows of the block. */
static void multiply_panel(const struct job *job, const struct block *block, u64 col)
{
    const struct w_kern *kern = job->engine->kern;
    const struct w_gemm *g = job->g;
    struct w_tile tile = {
        .k = block->k1 - block->k0,
        .a_row = 1,
        .a_col = kern->tile_rows,
        .b = job->panels + col / kern->tile_cols * job->panel_floats +
             (block->k0 - job->k0) * kern->tile_cols,
        .add_row = block->add_row,
        .c_row = g->c_row,
        .cols = (u32)W_MIN(block->col + block->cols - col, kern->tile_cols),
    };
    const float *next_panel = tile.b + job->panel_floats;
    u64 share = tile.k * kern->tile_cols / ceil_div(block->rows, kern->tile_rows);

    for (u64 i = 0; i < block->rows; i += kern->tile_rows) {
        tile.a = block->a + i * tile.k;
        tile.add = block->add ? block->add + (block->row + i) * block->add_row + col : NULL;
        tile.c = g->c + (block->row + i) * g->c_row + col;
        tile.rows = (u32)W_MIN(block->rows - i, kern->tile_rows);
        prefetch(&tile, kern, &next_panel, share);
        kern->tile(&tile);
    }
}

/* The block's rows of a, packed into the member's memory: the tiles then read them as one stream,
 * which is a tenth faster than rows that are kilobytes apart. */
static void pack_a(const struct job *job, struct block *block, float *packed)
{
    const struct w_kern *kern = job->engine->kern;
    const struct w_gemm *g = job->g;
    const float *a = g->a + block->row * g->a_row + block->k0 * g->a_col;
    u64 k = block->k1 - block->k0;

    kern->pack_rows(packed, a, g->a_row, g->a_col, k, block->rows);
    block->a = packed;
}

/* Which part of c an item is. Items that follow each other share the columns of b if that is the
 * larger matrix, else the rows of a, so that the larger one is read from memory once. */
static void place_item(const struct job *job, u64 item, struct block *block)
{
    const struct w_gemm *g = job->g;
    bool down = g->n > g->m;

    block->row = (down ? item % job->row_blocks : item / job->col_blocks) * job->block_rows;
    block->col = (down ? item / job->row_blocks : item % job->col_blocks) * job->block_cols;
    block->rows = W_MIN(g->m - block->row, job->block_rows);
    block->cols = W_MIN(g->n - block->col, job->block_cols);
}

static void multiply_block(void *context, u64 item, u32 member)
{
    const struct job *job = context;
    const struct w_kern *kern = job->engine->kern;
    const struct w_gemm *g = job->g;
    struct block block;
    u64 slice = job->k1 - job->k0, pieces = ceil_div(slice, job->engine->blocks.k);
    u64 depth = ceil_div(slice, pieces), group = FINISH_PANELS * kern->tile_cols;

    place_item(job, item, &block);
    for (block.k0 = job->k0; block.k0 < job->k1; block.k0 = block.k1) {
        block.k1 = W_MIN(block.k0 + depth, job->k1);
        block.add = block.k0 ? g->c : g->add;
        block.add_row = block.k0 ? g->c_row : g->add_row;
        pack_a(job, &block, w_engine_member(job->engine, member));
        for (u64 col = block.col; col < block.col + block.cols; col += group) {
            u64 end = W_MIN(col + group, block.col + block.cols);
            for (u64 j = col; j < end; j += kern->tile_cols)
                multiply_panel(job, &block, j);
            if (g->finish && block.k1 == g->k)
                g->finish(g->context, block.row, block.rows, col, end - col);
        }
    }
}

/* ---- the whole ---- */

/* A library's product on a block of c. */
static void library_block(void *context, u64 item, u32 member)
{
    const struct job *job = context;
    const struct w_gemm *g = job->g;
    struct block block;

    (void)member;
    place_item(job, item, &block);
    struct w_tile tile = {
        .k = g->k,
        .a = g->a + block.row * g->a_row,
        .a_row = g->a_row,
        .a_col = g->a_col,
        .b = g->b + block.col * g->b_col,
        .add = g->add ? g->add + block.row * g->add_row + block.col : NULL,
        .add_row = g->add_row,
        .c = g->c + block.row * g->c_row + block.col,
        .c_row = g->c_row,
    };
    job->engine->kern->product(&tile, g->b_row, g->b_col, block.rows, block.cols);
    if (g->finish)
        g->finish(g->context, block.row, block.rows, block.col, block.cols);
}

/* Rows per item: near the block size, and such that the number of items is a multiple of four, so
 * that two or four threads have the same work. */
static u64 even_rows(u64 m, u64 rows, u64 tile_rows)
{
    u64 items = w_round_up(ceil_div(m, rows), 4);
    return ceil_div(ceil_div(m, items), tile_rows) * tile_rows;
}

static void run_items(struct job *job, void (*work)(void *, u64, u32))
{
    job->row_blocks = ceil_div(job->g->m, job->block_rows);
    job->col_blocks = ceil_div(job->g->n, job->block_cols);
    w_team_for(job->engine->team, job->row_blocks * job->col_blocks, work, job);
}

void w_gemm(const struct w_engine *engine, const struct w_gemm *g)
{
    const struct w_kern *kern = engine->kern;
    const struct w_blocks *blocks = &engine->blocks;
    u64 width = w_round_up(g->n, W_TILE_COLS_MAX);
    struct job job = {.engine = engine, .g = g, .block_cols = g->n};

    if (g->m == 0 || g->n == 0)
        return;
    if (kern->product) {
        /* A library packs for itself on every call, which large blocks have to pay for. */
        job.block_rows = even_rows(g->m, 4 * (u64)blocks->rows, kern->tile_rows);
        run_items(&job, library_block);
        return;
    }
    job.block_rows = even_rows(g->m, blocks->rows, kern->tile_rows);
    u64 col_blocks = ceil_div(g->n, blocks->cols);
    job.block_cols = ceil_div(ceil_div(g->n, col_blocks), kern->tile_cols) * kern->tile_cols;
    /* A slice of k is as deep as there is room for its panels. Panels that are packed already are
     * sliced too, so that all threads use a slice while it is in the shared cache. */
    u64 deepest = g->packed ? PACKED_SLICE : engine->shared_floats / width;
    u64 depth = ceil_div(g->k, ceil_div(g->k, deepest));
    for (job.k0 = 0; job.k0 < g->k; job.k0 = job.k1) {
        job.k1 = W_MIN(job.k0 + depth, g->k);
        job.panels = engine->shared;
        job.panel_floats = (job.k1 - job.k0) * kern->tile_cols;
        if (g->packed) {
            job.panels = g->packed + job.k0 * kern->tile_cols;
            job.panel_floats = g->k * kern->tile_cols;
        } else {
            pack_slice(engine, engine->shared, g, job.k0, job.k1);
        }
        run_items(&job, multiply_block);
    }
}
