# wtools: `make help` lists the targets. CONTRIBUTING.md has the rules that the sources follow.
#
# Each set of flags builds in a folder of its own, so that release, sanitizer and fuzzer objects
# never mix: build/release, build/asan, build/tsan, build/fuzz. V=1 shows the commands.

CONFIG     ?= release
CC         ?= cc
AR         ?= ar
PKG_CONFIG ?= pkg-config
OBJCOPY    ?= objcopy
INSTALL    ?= install
PREFIX     ?= /usr/local
DESTDIR    ?=

BUILD := build/$(CONFIG)

# As many jobs as there are cores, unless -j says otherwise; but `make clean all` in that order.
ifeq ($(MAKELEVEL)$(filter clean uninstall,$(MAKECMDGOALS)),0)
    MAKEFLAGS += -j$(shell nproc)
endif

# Compilers of the MPIs for each of which there is an engine (lib/sys/peers_engine.h).
MPICC_openmpi ?= mpicc.openmpi
MPICC_mpich   ?= mpicc.mpich

# ---- sources: one file a line, in the order of the layers ----

LIB_SOURCES := \
	lib/base/arena.c \
	lib/base/buffer.c \
	lib/base/grow.c \
	lib/base/rng.c \
	lib/base/sha256.c \
	lib/base/status.c \
	lib/base/strnum.c \
	lib/base/type.c \
	lib/base/utf8.c \
	lib/sys/bzip2.c \
	lib/sys/bzip2_blocks.c \
	lib/sys/bzip2_scan.c \
	lib/sys/clock.c \
	lib/sys/cpuid.c \
	lib/sys/decode_ahead.c \
	lib/sys/deflate.c \
	lib/sys/entropy.c \
	lib/sys/fdio.c \
	lib/sys/file_kind.c \
	lib/sys/file_list.c \
	lib/sys/folder.c \
	lib/sys/folder_output.c \
	lib/sys/gunzip.c \
	lib/sys/input.c \
	lib/sys/json.c \
	lib/sys/json_line.c \
	lib/sys/literals.c \
	lib/sys/machine.c \
	lib/sys/machine_json.c \
	lib/sys/ordered.c \
	lib/sys/output.c \
	lib/sys/pages.c \
	lib/sys/peers.c \
	lib/sys/peers_exchange.c \
	lib/sys/peers_relay.c \
	lib/sys/peers_signs.c \
	lib/sys/printed.c \
	lib/sys/stop.c \
	lib/sys/team.c \
	lib/sys/text_files.c \
	lib/sys/thread.c \
	lib/sys/unpack.c \
	lib/sys/unxz.c \
	lib/sys/unzstd.c \
	lib/sys/utf16.c \
	lib/sys/xml.c \
	lib/wire/frame.c \
	lib/wire/frame_index.c \
	lib/wire/header.c \
	lib/wire/id_filter.c \
	lib/wire/origin.c \
	lib/wire/packer.c \
	lib/wire/plane_filter.c \
	lib/wire/prov.c \
	lib/wire/stream_reader.c \
	lib/wire/stream_seek.c \
	lib/wire/stream_writer.c \
	lib/wire/token_header.c \
	lib/api/outcome.c \
	lib/api/wts_reader.c \
	lib/api/wts_writer.c \
	lib/count/count_delta.c \
	lib/count/count_document.c \
	lib/count/count_documents.c \
	lib/count/count_file.c \
	lib/count/count_groups.c \
	lib/count/count_image.c \
	lib/count/count_keys.c \
	lib/count/count_learn.c \
	lib/count/count_leave_out.c \
	lib/count/count_prune.c \
	lib/count/count_score.c \
	lib/count/counts.c \
	lib/kern/blocks.c \
	lib/kern/gemm.c \
	lib/kern/gemm_blas.c \
	lib/kern/kern.c \
	lib/kern/kern_amx.c \
	lib/kern/kern_avx2.c \
	lib/kern/kern_avx512.c \
	lib/kern/kern_avx512bf16.c \
	lib/kern/kern_portable.c \
	lib/kern/q8.c \
	lib/kern/q8_amx.c \
	lib/kern/q8_avx2.c \
	lib/kern/q8_avx512vnni.c \
	lib/kern/q8_avxvnni.c \
	lib/kern/q8_portable.c \
	lib/kern/kern_ref.c \
	lib/conf/conf.c \
	lib/conf/option.c \
	lib/text/bpe_encode.c \
	lib/text/bpe_train.c \
	lib/text/byte_letters.c \
	lib/text/document.c \
	lib/text/draft.c \
	lib/text/gguf_cursor.c \
	lib/text/import.c \
	lib/text/nfc.c \
	lib/text/pair_map.c \
	lib/text/special.c \
	lib/text/split.c \
	lib/text/split_kinds.c \
	lib/text/text_batch.c \
	lib/text/token_set.c \
	lib/text/unicode.c \
	lib/text/vocab.c \
	lib/text/vocab_gguf.c \
	lib/text/vocab_gpt2.c \
	lib/text/vocab_hf.c \
	lib/text/vocab_import.c \
	lib/text/vocab_json.c \
	lib/text/vocab_letters.c \
	lib/text/vocab_tiktoken.c \
	lib/text/word_cache.c \
	lib/text/word_count.c \
	lib/text/word_merge.c \
	lib/wiki/clean.c \
	lib/wiki/clean_reader.c \
	lib/wiki/coordinates.c \
	lib/wiki/disambiguation.c \
	lib/wiki/dump.c \
	lib/wiki/element.c \
	lib/wiki/entity.c \
	lib/wiki/finish.c \
	lib/wiki/inline_pattern.c \
	lib/wiki/inline_rows.c \
	lib/wiki/inline_rows_cjk.c \
	lib/wiki/inline_rows_en.c \
	lib/wiki/inline_rows_germanic.c \
	lib/wiki/inline_rows_romance.c \
	lib/wiki/inline_rows_slavic.c \
	lib/wiki/inlines.c \
	lib/wiki/language.c \
	lib/wiki/line.c \
	lib/wiki/link.c \
	lib/wiki/markup.c \
	lib/wiki/measure.c \
	lib/wiki/name_family.c \
	lib/wiki/number.c \
	lib/wiki/quotes.c \
	lib/wiki/script.c \
	lib/wiki/site.c \
	lib/wiki/span.c \
	lib/wiki/table.c \
	lib/wiki/tag.c \
	lib/wiki/template.c \
	lib/wiki/walk.c \
	lib/wiki/wiki_block.c \
	lib/wiki/wikitext.c \
	lib/data/batches.c \
	lib/data/columns.c \
	lib/data/corpus.c \
	lib/data/loader.c \
	lib/data/id_stats.c \
	lib/data/pack.c \
	lib/data/parts.c \
	lib/data/shuffle.c \
	lib/data/validation.c \
	lib/net/adamw.c \
	lib/net/arch.c \
	lib/net/attention.c \
	lib/net/deal.c \
	lib/net/embedding.c \
	lib/net/gate.c \
	lib/net/gradient_tree.c \
	lib/net/head.c \
	lib/net/head_layer.c \
	lib/net/id_set.c \
	lib/net/infer.c \
	lib/net/linear.c \
	lib/net/mixture.c \
	lib/net/mlp.c \
	lib/net/model.c \
	lib/net/muon.c \
	lib/net/norm.c \
	lib/net/optim.c \
	lib/net/orthogonal.c \
	lib/net/outer.c \
	lib/net/peer_sum.c \
	lib/net/phase.c \
	lib/net/plan.c \
	lib/net/round.c \
	lib/net/sampler.c \
	lib/net/schedule.c \
	lib/net/score.c \
	lib/net/seen_targets.c \
	lib/net/shared_step.c \
	lib/net/softmax_sample.c \
	lib/net/step.c \
	lib/net/sums.c \
	lib/net/tensors.c \
	lib/store/checkpoint.c \
	lib/store/checkpoint_folder.c \
	lib/store/checkpoint_read.c \
	lib/store/vocab_open.c \
	lib/store/weights.c \
	lib/store/weights_change.c \
	lib/exchange/exchange.c \
	lib/exchange/foreign_tensor.c \
	lib/exchange/gguf_layout.c \
	lib/exchange/gguf_read.c \
	lib/exchange/gguf_write.c \
	lib/exchange/hf_folder.c \
	lib/exchange/npy.c \
	lib/exchange/safetensors.c \
	lib/exchange/weight_type.c \
	lib/bench/calibration.c \
	lib/bench/calibration_file.c \
	lib/bench/decode_probe.c \
	lib/bench/memory_curve.c \
	lib/bench/network_probe.c \
	lib/bench/probe.c \
	lib/bench/step_probe.c \
	lib/bench/target.c \
	lib/fit/evaluate.c \
	lib/fit/expr.c \
	lib/fit/figures.c \
	lib/fit/scaling_law.c \
	lib/fit/network.c \
	lib/fit/predict.c \
	lib/fit/rank_step.c \
	lib/fit/require.c \
	lib/fit/residuals.c \
	lib/fit/runlog.c \
	lib/fit/search.c \
	lib/fit/simulation.c \
	lib/fit/units.c \

TOOLS := \
	wbatch \
	wcachefit \
	wcat \
	wgram \
	wmodel \
	wsample \
	wtok \
	wtrain \
	wwiki \

# Shared by all programs; and what a program has beside tools/NAME.c.
TOOL_SOURCES := \
	tools/cli.c \
	tools/help.c \
	tools/messages.c \
	tools/signals.c \
	tools/wrap.c \

wbatch_PARTS := tools/wbatch_make.c tools/wbatch_streams.c
wcachefit_PARTS := tools/host_cache.c tools/launcher.c tools/plan_json.c \
	$(addprefix tools/wcachefit/,calibrate_network.c chart.c \
	chart_svg.c chart_text.c cmd_calibrate.c cmd_fit.c cmd_host.c cmd_plot.c cmd_report.c \
	cmd_search.c cmd_verify.c hints.c inputs.c out_first.c out_json.c out_md.c out_tables.c out_text.c)
wcat_PARTS := tools/wcat_copy.c tools/wcat_raw.c tools/wcat_show.c tools/wcat_split.c \
	tools/wcat_summary.c tools/wcat_verify.c
wgram_PARTS := $(addprefix tools/wgram_,add.c info.c learn.c prune.c score.c)
wmodel_PARTS := $(addprefix tools/wmodel_,change.c export.c import.c info.c)
wsample_PARTS := tools/wsample_counts.c tools/wsample_documents.c tools/wsample_generate.c \
	tools/wsample_prompts.c \
	tools/wsample_score.c tools/wsample_talk.c tools/wsample_text.c
wtok_PARTS := tools/wtok_decode.c tools/wtok_encode.c tools/wtok_export.c tools/wtok_import.c \
	tools/wtok_info.c tools/wtok_read_ids.c tools/wtok_train.c tools/wtok_words.c \
	tools/wtok_write_ids.c
wtrain_PARTS := tools/guard.c tools/host_cache.c tools/launcher.c tools/plan_json.c \
	$(addprefix tools/wtrain_,eval.c forecast.c log.c loop.c open.c plan.c ranks.c round.c save.c setup.c)
wwiki_PARTS := tools/wwiki_clean.c tools/wwiki_extract.c

UNIT_TESTS := \
	test_amx \
	test_api \
	test_attend \
	test_base \
	test_batches \
	test_bf16 \
	test_calibration \
	test_calibration_file \
	test_chart \
	test_checkpoint \
	test_checkpoint_folder \
	test_clean \
	test_cli \
	test_clock \
	test_conf \
	test_count_document \
	test_counts \
	test_counts_forged \
	test_document \
	test_dot \
	test_bpe_encode \
	test_frame \
	test_fuzz_clean \
	test_fuzz_counts \
	test_fuzz_document \
	test_fuzz_dump \
	test_fuzz_expr \
	test_fuzz_gguf \
	test_fuzz_id_filter \
	test_fuzz_import \
	test_fuzz_json_line \
	test_fuzz_literals \
	test_fuzz_machine \
	test_fuzz_npy \
	test_fuzz_residuals \
	test_fuzz_runlog \
	test_fuzz_safetensors \
	test_fuzz_split \
	test_fuzz_stream \
	test_fuzz_unpack \
	test_fuzz_wikitext \
	test_file_kind \
	test_loader \
	test_evaluate \
	test_expr \
	test_exchange \
	test_figures \
	test_import \
	test_lm_head \
	test_infer \
	test_id_filter \
	test_json \
	test_json_line \
	test_machine \
	test_option \
	test_nfc \
	test_ordered \
	test_origin \
	test_orthogonal \
	test_outer \
	test_output \
	test_peer_sum \
	test_kern \
	test_lanes \
	test_late_merges \
	test_literals \
	test_memory_curve \
	test_mixture \
	test_model \
	test_model_times \
	test_muon \
	test_peers_exchange \
	test_peers_signs \
	test_plan \
	test_plane_filter \
	test_predict \
	test_deal \
	test_probe \
	test_q8 \
	test_gate \
	test_gradient_tree \
	test_gemm \
	test_guard \
	test_team \
	test_token_header \
	test_schedule \
	test_sampler \
	test_score \
	test_softmax_sample \
	test_search \
	test_simulation \
	test_split \
	test_special_tokens \
	test_stream \
	test_stream_faults \
	test_stream_forged \
	test_stream_seek \
	test_bpe_train \
	test_unpack \
	test_validation \
	test_vocab \
	test_vocab_import \
	test_wikitext \
	test_wikitext_numbers \
	test_wikitext_pages \
	test_wikitext_sites \
	test_writer_faults \
	test_xml \

# ---- flags ----

PACKAGES := libdeflate libcjson zlib liblzma libzstd libutf8proc
WERROR   ?= -Werror
WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla \
	-Wpointer-arith -Wno-psabi $(WERROR)
CONFIG_FLAGS_release := -O2 -g
CONFIG_FLAGS_asan    := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer
CONFIG_FLAGS_tsan    := -O1 -g -fsanitize=thread -fno-omit-frame-pointer
CONFIG_FLAGS_fuzz    := -O1 -g -fsanitize=fuzzer-no-link,address,undefined \
	-fno-sanitize-recover=all -fno-omit-frame-pointer
CONFIG_FLAGS := $(CONFIG_FLAGS_$(CONFIG))

# pkg-config is asked once, and not before the first recipe needs it: by then the target `packages`
# has seen to it that there is one.
PACKAGE_CFLAGS = $(eval PACKAGE_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(PACKAGES) openblas))$(PACKAGE_CFLAGS)
PACKAGE_LIBS = $(eval PACKAGE_LIBS := $(shell $(PKG_CONFIG) --libs $(PACKAGES)))$(PACKAGE_LIBS)

CFLAGS   ?=
CPPFLAGS ?=
LDFLAGS  ?=
# What a fault in memory meets: programs at random addresses, read-only tables of the linker, guarded
# stacks and checked copies. They come before a packager's own flags, which win. Sanitizers have their
# own checks. glibc refuses to fortify without optimizing, and a level that the packager sets is not
# defined twice.
ifeq ($(CONFIG),release)
    HARDEN_CFLAGS := -fPIE -fstack-protector-strong -fstack-clash-protection
    PROGRAM_LDFLAGS := -pie
    HARDEN_LDFLAGS := -Wl,-z,relro,-z,now
    LIBRARY_LDFLAGS := -Wl,-z,defs
    ifeq ($(filter -O0,$(CFLAGS))$(findstring _FORTIFY_SOURCE,$(CPPFLAGS) $(CFLAGS)),)
        HARDEN_CFLAGS += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
    endif
endif
# What is built does not say where: the same sources give the same bytes.
W_CFLAGS = -std=c11 -D_GNU_SOURCE -pthread -Ilib -I. -MMD -MP -ffile-prefix-map='$(CURDIR)'=. \
	$(WARNINGS) $(CONFIG_FLAGS) \
	$(HARDEN_CFLAGS) $(PACKAGE_CFLAGS) $(CPPFLAGS) $(CFLAGS)
W_LDFLAGS = $(HARDEN_LDFLAGS) $(PROGRAM_LDFLAGS) $(LDFLAGS)
# As needed: a program depends on the libraries that it uses, and not on all of them.
W_LIBS = -Wl,--as-needed $(PACKAGE_LIBS) -lbz2 -lm -ldl -pthread

LIB_OBJECTS  := $(LIB_SOURCES:%.c=$(BUILD)/%.o)
# The library for other programs: lib/api, and what it needs of the layers below it.
API_OBJECTS  := $(patsubst %.c,$(BUILD)/pic/%.o,$(filter lib/api/%,$(LIB_SOURCES)))
BELOW_API    := $(patsubst %.c,$(BUILD)/pic/%.o,$(filter lib/base/% lib/sys/% lib/wire/%,$(LIB_SOURCES)))
WTS_LIBRARY  := $(BUILD)/libwts.so.0
WTS_ARCHIVE  := $(BUILD)/libwts.a
TOOL_OBJECTS := $(TOOL_SOURCES:%.c=$(BUILD)/%.o)
PROGRAMS     := $(TOOLS:%=$(BUILD)/%)
TESTS        := $(UNIT_TESTS:%=$(BUILD)/tests/unit/%)
FUZZERS      := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/fuzz/fuzz_*.c))
ENGINES      := $(BUILD)/peers_openmpi.so $(BUILD)/peers_mpich.so
# As each shell calls the file in which it looks for the completion of a program.
COMPLETIONS  := $(TOOLS:%=$(BUILD)/completions/bash/%) $(TOOLS:%=$(BUILD)/completions/zsh/_%) \
	$(TOOLS:%=$(BUILD)/completions/fish/%.fish)
PAGES        := $(patsubst man/%,$(BUILD)/man/%,$(wildcard man/*.[1-8])) \
	$(patsubst man/%.in,$(BUILD)/man/%,$(wildcard man/*.[1-8].in))
SHELL_FILES  := .ci/run debian/tests/library debian/tests/pipeline man/generate man/completion \
	tests/bench/encoding tests/bench/generation tests/bench/tokenizers \
	tests/ablation \
	tests/check_layers \
	tests/follow_hf \
	tests/follow_gpt2 tests/follow_models \
	tests/follow_peer tests/follow_precision tests/follow_rounds \
	tests/fuzz/make_seeds \
	tests/learn_references \
	tests/lint \
	tests/loss/run \
	tests/predict \
	tests/reproducible \
	tests/round_trip \
	tests/run \
	tests/scaling \
	tests/search \
	tests/vectors \
	tests/wiki_dumps \
	tools/packages \
	$(wildcard pipelines/*.sh)
C_FILES      := $(shell find lib tools tests examples -name '*.[ch]')

ifeq ($(V),)
    Q := @
    say := @printf '  %-5s %s\n'
else
    say := @:
endif

all: $(PROGRAMS) $(ENGINES) $(WTS_LIBRARY) $(WTS_ARCHIVE) $(PAGES) $(COMPLETIONS) ## build the programs, the library, manual pages and completions
.PHONY: all demo learn test soak check-asan check-reproducible check-tsan fuzz fuzz-run bench bench-encoding \
	bench-ablation bench-generate bench-predict bench-ranks bench-search bench-tok \
	lint format pictures install uninstall dist deb clean help packages force
.DELETE_ON_ERROR:

# ---- building ----

# Only the goals that are for people trying the project install what is missing; the others, which
# a packager may run as root, print the command. PACKAGE_GROUPS: see tools/packages.
PACKAGE_GROUPS := build
PACKAGE_ACTION := --print
demo learn: PACKAGE_GROUPS := build pipelines
test: PACKAGE_GROUPS := build pipelines test
fuzz-run: PACKAGE_GROUPS := build fuzz
deb: PACKAGE_GROUPS := build deb
demo learn test deb: PACKAGE_ACTION := --install
packages:
	@CC='$(CC)' PKG_CONFIG='$(PKG_CONFIG)' tools/packages $(PACKAGE_ACTION) $(PACKAGE_GROUPS)

# Other flags than last time: everything is compiled and linked again.
FLAGS = '$(subst ','\'',$(CC) $(W_CFLAGS) $(W_LDFLAGS) $(W_LIBS))'
$(BUILD)/flags: force | packages
	@mkdir -p $(@D)
	@printf '%s\n' $(FLAGS) | cmp -s - $@ || printf '%s\n' $(FLAGS) >$@

$(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(say) CC $<
	$(Q)$(CC) $(W_CFLAGS) -c $< -o $@

$(BUILD)/libw.a: $(LIB_OBJECTS)
	$(say) AR $@
	$(Q)rm -f $@ && $(AR) rcs $@ $^

# Objects that run at any address. What lib/api needs of them becomes one object, in which only the
# functions of wts.h are visible, and that both libraries are made of. (Its code is final: -fno-lto.)
$(BUILD)/pic/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) $(W_CFLAGS) -fPIC -fno-lto -c $< -o $@

$(BUILD)/pic/below_api.a: $(BELOW_API)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(BUILD)/pic/wts.o: $(API_OBJECTS) $(BUILD)/pic/below_api.a
	$(Q)$(CC) -r -nostdlib $^ -o $@
	$(Q)$(OBJCOPY) -w --keep-global-symbol='wts_*' $@

# Not to be unloaded: cJSON keeps the addresses of functions (sys/json.c).
$(WTS_LIBRARY): $(BUILD)/pic/wts.o
	$(say) LD $@
	$(Q)$(CC) $(CONFIG_FLAGS) $(HARDEN_LDFLAGS) $(LIBRARY_LDFLAGS) $(LDFLAGS) -shared -Wl,-z,nodelete \
		-Wl,-soname,$(@F) $< $(W_LIBS) -o $@

$(WTS_ARCHIVE): $(BUILD)/pic/wts.o
	$(say) AR $@
	$(Q)rm -f $@ && $(AR) rcs $@ $^

.SECONDEXPANSION:
parts_of = $(addprefix $(BUILD)/,$(addsuffix .o,$(basename $($(1)_PARTS))))
$(PROGRAMS): $(BUILD)/%: $(BUILD)/tools/%.o $$(call parts_of,$$*) $(TOOL_OBJECTS) $(BUILD)/libw.a
	$(say) LD $@
	$(Q)$(CC) $(W_CFLAGS) $(W_LDFLAGS) $(filter %.o %.a,$^) $(W_LIBS) -o $@

# None where its MPI is not. The headers of an MPI are not ours to warn of.
$(ENGINES): $(BUILD)/peers_%.so: lib/sys/peers_mpi.c lib/sys/peers_engine.h $(BUILD)/flags
	$(Q)command -v '$(MPICC_$*)' >/dev/null || exit 0; $(if $(V),,printf '  %-5s %s\n' MPICC $@;) \
		OMPI_CC='$(CC)' MPICH_CC='$(CC)' $(MPICC_$*) -std=c11 -D_GNU_SOURCE -O2 -g -fPIC -shared \
		-ffile-prefix-map='$(CURDIR)'=. -fvisibility=hidden -Ilib $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) $< -o $@

# What unit tests take from a program.
$(BUILD)/tests/unit/test_cli: $(TOOL_OBJECTS)
$(BUILD)/tests/unit/test_chart: $(BUILD)/tools/wcachefit/chart.o $(BUILD)/tools/wcachefit/chart_svg.o \
	$(BUILD)/tools/wcachefit/chart_text.o
$(BUILD)/tests/unit/test_evaluate: $(BUILD)/tools/wcachefit/hints.o
$(BUILD)/tests/unit/test_guard: $(TOOL_OBJECTS) $(BUILD)/tools/guard.o $(BUILD)/tools/launcher.o
$(TESTS): $(BUILD)/%: %.c $(BUILD)/libw.a $(BUILD)/flags
	@mkdir -p $(@D)
	$(say) CC $<
	$(Q)$(CC) $(W_CFLAGS) $(W_LDFLAGS) $< $(filter %.o,$^) $(BUILD)/libw.a $(W_LIBS) -lcmocka -lexpat -o $@

$(BUILD)/tests/add_columns: tests/add_columns.c $(BUILD)/libw.a $(BUILD)/flags
	@mkdir -p $(@D)
	$(say) CC $<
	$(Q)$(CC) $(W_CFLAGS) $(W_LDFLAGS) $< $(BUILD)/libw.a $(W_LIBS) -o $@

$(BUILD)/tests/inject.so: tests/inject.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(say) CC $<
	$(Q)$(CC) $(W_CFLAGS) -shared -fPIC $< -ldl -o $@

$(BUILD)/tests/slow_network.so: tests/slow_network.c lib/sys/peers_engine.h $(BUILD)/flags
	@mkdir -p $(@D)
	$(say) CC $<
	$(Q)$(CC) $(W_CFLAGS) -shared -fPIC -fvisibility=hidden $< -ldl -lm -o $@

# ---- manual pages and completions: written from the option tables of the programs ----

$(BUILD)/man/%: man/%
	@mkdir -p $(@D)
	@cp $< $@

$(BUILD)/man/%: man/%.in man/generate $(PROGRAMS)
	@mkdir -p $(@D)
	$(say) MAN $@
	$(Q)man/generate $(BUILD) $< >$@

define COMPLETION_RULE
$$(BUILD)/completions/$(1)/$(2): man/completion man/completion_rows.awk man/completion_$(1).awk $$(BUILD)/% $$(BUILD)/wcachefit
	@mkdir -p $$(@D)
	@man/completion $(1) $$(BUILD)/$$* >$$@
endef
$(eval $(call COMPLETION_RULE,bash,%))
$(eval $(call COMPLETION_RULE,zsh,_%))
$(eval $(call COMPLETION_RULE,fish,%.fish))

# ---- trying and testing ----

demo: all ## learn from English text of this machine (or CORPUS=folder) and write some
	PATH="$(CURDIR)/$(BUILD):$$PATH" pipelines/demo.sh $(if $(CORPUS),'$(CORPUS)')

learn: all ## the best model of CORPUS=folder for TIME=5m, as NAME=build/learned.*
	PATH="$(CURDIR)/$(BUILD):$$PATH" pipelines/learn.sh -t '$(or $(TIME),5m)' \
		-o '$(or $(NAME),build/learned)' '$(or $(CORPUS),$(error CORPUS=folder says what to learn from))'

test: all $(TESTS) $(BUILD)/tests/add_columns $(if $(findstring san,$(CONFIG)),,$(BUILD)/tests/inject.so $(BUILD)/tests/slow_network.so) ## run every test
	tests/run $(BUILD) $(if $(PATTERN),'$(PATTERN)')

pictures: all ## draw the pictures of README anew: minutes, on an idle machine
	pictures/draw $(BUILD)

soak: all ## run tests/soak: the rules of make with KILLS=200 kills, DISKS=20 full disks, EDITS=20 edited inputs
	KILLS='$(KILLS)' DISKS='$(DISKS)' EDITS='$(EDITS)' tests/soak $(BUILD)

check-asan: ## run every test under the address and undefined-behaviour sanitizers
	$(MAKE) CONFIG=asan test

check-tsan: ## run every test under the thread sanitizer
	$(MAKE) CONFIG=tsan test

check-reproducible: ## build the committed sources twice, elsewhere, and compare the bytes
	tests/reproducible

FUZZ_TIME ?= 60
fuzz: ## run every fuzzer for FUZZ_TIME=60 seconds (clang)
	$(MAKE) CONFIG=fuzz CC=clang WERROR= fuzz-run

fuzz-run: $(FUZZERS)
	@tests/fuzz/make_seeds $(BUILD)/tests/fuzz
	@for f in $(FUZZERS); do echo "== $$f" && $$f -verbosity=0 -timeout=10 -print_final_stats=1 \
		-max_total_time=$(FUZZ_TIME) -artifact_prefix=$$f- $$f.corpus || exit 1; done

$(BUILD)/tests/fuzz/fuzz_prompts: $(BUILD)/tools/wsample_prompts.o $(TOOL_OBJECTS)
$(FUZZERS): $(BUILD)/%: %.c $(BUILD)/libw.a
	@mkdir -p $(@D)
	$(say) CC $<
	$(Q)$(CC) $(W_CFLAGS) -fsanitize=fuzzer $(W_LDFLAGS) $< $(filter %.o,$^) $(BUILD)/libw.a $(W_LIBS) -o $@

lint: all ## formatting, static analysis, scripts, manual pages
	@tests/lint '$(C_FILES)' '$(SHELL_FILES)' '$(PAGES)'

format: ## format the C files
	clang-format -i $(C_FILES)

# ---- measuring ----

# oneDNN is measured beside, where its header is installed.
ONEDNN_LIBS = $(shell echo '#include <dnnl.h>' | $(CC) -E -x c - >/dev/null 2>&1 && echo -ldnnl -lgomp)
BENCH_OBJECTS := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/bench/*.c))
$(BUILD)/tests/bench/wbench: $(BENCH_OBJECTS) $(TOOL_OBJECTS) $(BUILD)/libw.a
	$(say) LD $@
	$(Q)$(CC) $(W_CFLAGS) $(W_LDFLAGS) $^ $(W_LIBS) $(ONEDNN_LIBS) -o $@

# PRECISION=fp32|bf16: instead of what suits the machine. PEER=script.py: another trainer to take turns
# with, which is not part of this project (wbench --help says what it does); Debian's python3 has torch.
PEER_PYTHON ?= /usr/bin/python3
# The peer knows AdamW and the softmax over all ids alone.
BENCH_PEER = $(if $(PEER),--set optimizer=adamw --set softmax_sample=0 --peer '$(PEER_PYTHON) $(PEER)')
BENCH ?= configs/autoregressive_fast.json configs/wiki_performance_tuned.json \
	configs/wiki_cache_optimized.json configs/wiki_gpu_optimized.json
bench: $(BUILD)/tests/bench/wbench ## measure training and products beside the peak and sgemm (and PEER=script.py); ROUNDS=5
	$< -n $(or $(ROUNDS),5) --products --precision $(or $(PRECISION),auto) $(BENCH_PEER) $(BENCH)

# HF=/full/path/of/node_modules/tokenizers: beside Hugging Face's; what else is measured: see the script.
bench-tok: $(BUILD)/wtok ## measure wtok on TEXT=folder beside spm_train, spm_encode (and HF=package)
	HF='$(HF)' tests/bench/tokenizers encode $(or $(TEXT),$(error TEXT=folder says what to read))
	HF='$(HF)' tests/bench/tokenizers train $(TEXT)

bench-encoding: $(BUILD)/wtok ## measure wtok encode on TEXT=folder: compressed output and input beside plain ones
	BUILD='$(BUILD)' tests/bench/encoding $(or $(TEXT),$(error TEXT=folder says what to read))

# Models of trained or random weights: only their shapes count.
bench-generate: $(BUILD)/wsample $(BUILD)/wmodel ## measure wsample on MODELS="a.wts ..." beside llama.cpp (LLAMA=node_modules)
	BUILD='$(BUILD)' tests/bench/generation '$(or $(LLAMA),$(error LLAMA=node_modules says where node-llama-cpp is))' $(MODELS)

bench-ablation: all ## run tests/ablation: what each part of the recipe brings to what learn.sh made of NAME=, in TIME=40s each
	PATH="$(CURDIR)/$(BUILD):$$PATH" tests/ablation $(if $(TIME),-t '$(TIME)') \
		'$(or $(NAME),$(error NAME=learned says what learn.sh made))'

bench-predict: all ## run tests/predict: how right wcachefit is, on 24 configurations (11 minutes)
	PATH="$(CURDIR)/$(BUILD):$$PATH" tests/predict $(if $(PATTERN),'$(PATTERN)')

bench-ranks: all $(BUILD)/tests/slow_network.so ## run tests/scaling: 2 and 4 ranks over emulated networks beside their predictions
	PATH="$(CURDIR)/$(BUILD):$$PATH" tests/scaling $(BUILD) $(if $(MPI),-m '$(MPI)')

bench-search: all ## run tests/search: wcachefit search beside the configurations, for TIME=5m each, on TEXT= and VAL=
	PATH="$(CURDIR)/$(BUILD):$$PATH" tests/search $(if $(TIME),-t '$(TIME)') \
		'$(or $(TEXT),$(error TEXT=folder says what to learn from))' \
		'$(or $(VAL),$(error VAL=folder says what to measure with))'

# ---- installing ----

BINDIR   = $(DESTDIR)$(PREFIX)/bin
MANDIR   = $(DESTDIR)$(PREFIX)/share/man
SHAREDIR = $(DESTDIR)$(PREFIX)/share/wtools
# LIBDIR: under PREFIX, where libraries are; a distribution may have one for each architecture.
LIBDIR ?= lib
LIBRARYDIR = $(DESTDIR)$(PREFIX)/$(LIBDIR)
INCLUDEDIR = $(DESTDIR)$(PREFIX)/include
ENGINEDIR = $(DESTDIR)$(PREFIX)/lib/wtools
# Where the shells look, under PREFIX/share; a distribution may have a folder of its own for them.
BASHDIR ?= bash-completion/completions
ZSHDIR  ?= zsh/site-functions
FISHDIR ?= fish/vendor_completions.d
EXAMPLEDIR = $(DESTDIR)$(PREFIX)/share/doc/wtools/examples
completion_dir = $(DESTDIR)$(PREFIX)/share/$($(1)DIR)

install: all ## install under DESTDIR and PREFIX=/usr/local
	$(INSTALL) -d '$(BINDIR)' '$(SHAREDIR)/configs' '$(SHAREDIR)/pipelines' '$(EXAMPLEDIR)' \
		'$(call completion_dir,BASH)' '$(call completion_dir,ZSH)' '$(call completion_dir,FISH)' \
		'$(INCLUDEDIR)' '$(LIBRARYDIR)/pkgconfig'
	$(INSTALL) -m 755 $(PROGRAMS) '$(BINDIR)'
	$(INSTALL) -m 644 lib/api/wts.h '$(INCLUDEDIR)'
	$(INSTALL) -m 644 $(WTS_LIBRARY) $(WTS_ARCHIVE) '$(LIBRARYDIR)'
	ln -sf libwts.so.0 '$(LIBRARYDIR)/libwts.so'
	sed 's|@PREFIX@|$(PREFIX)|; s|@LIBDIR@|$(LIBDIR)|; s|@VERSION@|$(VERSION)|' lib/api/wts.pc.in \
		>'$(LIBRARYDIR)/pkgconfig/wts.pc'
	chmod 644 '$(LIBRARYDIR)/pkgconfig/wts.pc'
	for engine in $(ENGINES); do [ ! -e $$engine ] || { $(INSTALL) -d '$(ENGINEDIR)' && \
		$(INSTALL) -m 644 $$engine '$(ENGINEDIR)'; } || exit 1; done
	for page in $(PAGES); do section='$(MANDIR)'/man$${page##*.}; \
		$(INSTALL) -d "$$section" && $(INSTALL) -m 644 $$page "$$section" || exit 1; done
	$(INSTALL) -m 644 $(TOOLS:%=$(BUILD)/completions/bash/%) '$(call completion_dir,BASH)'
	$(INSTALL) -m 644 $(TOOLS:%=$(BUILD)/completions/zsh/_%) '$(call completion_dir,ZSH)'
	$(INSTALL) -m 644 $(TOOLS:%=$(BUILD)/completions/fish/%.fish) '$(call completion_dir,FISH)'
	$(INSTALL) -m 644 configs/*.json '$(SHAREDIR)/configs'
	$(INSTALL) -m 755 pipelines/*.sh '$(SHAREDIR)/pipelines'
	$(INSTALL) -m 644 pipelines/wtools.mk examples/wtools.magic '$(SHAREDIR)'
	$(INSTALL) -m 644 examples/wts.py examples/*.c examples/*.json '$(EXAMPLEDIR)'

uninstall: ## remove what install put there
	rm -f '$(INCLUDEDIR)/wts.h' '$(LIBRARYDIR)'/libwts.* '$(LIBRARYDIR)/pkgconfig/wts.pc'
	rm -f $(TOOLS:%='$(BINDIR)/%') $(TOOLS:%='$(call completion_dir,BASH)/%') \
		$(TOOLS:%='$(call completion_dir,ZSH)/_%') $(TOOLS:%='$(call completion_dir,FISH)/%.fish')
	for page in $(notdir $(PAGES)); do rm -f '$(MANDIR)'/man$${page##*.}/$$page; done
	rm -rf '$(SHAREDIR)' '$(EXAMPLEDIR)' '$(ENGINEDIR)'

VERSION = $(shell sed -n 's/.*W_VERSION_TEXT "\(.*\)"/\1/p' lib/base/base.h)
dist: ## the committed sources as build/wtools-VERSION.tar.gz
	@mkdir -p build
	git archive --prefix=wtools-$(VERSION)/ -o build/wtools-$(VERSION).tar.gz HEAD

# dpkg-buildpackage is a make of its own, of which this one's flags are not.
deb: packages ## the committed sources as a Debian package in build/deb, judged by lintian
	rm -rf build/deb
	@mkdir -p build/deb
	git archive --prefix=wtools-$(VERSION)/ HEAD | tar -x -C build/deb
	cd build/deb/wtools-$(VERSION) && env -u MAKEFLAGS -u MAKELEVEL -u CONFIG dpkg-buildpackage -us -uc
	lintian --fail-on error,warning build/deb/*.changes

clean: ## remove everything that was built
	rm -rf build

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 22

-include $(patsubst %.o,%.d,$(LIB_OBJECTS) $(API_OBJECTS) $(BELOW_API) $(TOOL_OBJECTS)) $(PROGRAMS:$(BUILD)/%=$(BUILD)/tools/%.d) \
	$(foreach tool,$(TOOLS),$(patsubst %.o,%.d,$(call parts_of,$(tool)))) \
	$(TESTS:%=%.d) $(FUZZERS:%=%.d) $(BENCH_OBJECTS:%.o=%.d)
