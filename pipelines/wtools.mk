# wtools.mk: rules for training with make. Include it in a Makefile of your own:
#
#     W_TEXT    := $(wildcard wiki/*)     # what to learn from: files or folders
#     W_CONFIGS := configs                # the folder of the configurations
#     include /usr/local/share/wtools/wtools.mk
#
#     all: work/wiki_cache_optimized.sample
#
# or, instead of W_TEXT, name the dump of a wiki (or its parts), as downloaded:
#
#     W_DUMP    := enwiki-latest-pages-articles-multistream.xml.bz2
#
# For a configuration $(W_CONFIGS)/NAME.json and the folder W (default: work):
#
#     W/text.jsonl     the text of the dump W_DUMP
#     W/vocab          the vocabulary, shared by all configurations (or the file W_VOCAB)
#     W/tokens         the text as a token stream, shared by all configurations
#     W/counts         counts of the n-grams of the tokens, shared by all configurations
#     W/counted        the tokens with what these counts say of each, its document left out: what batches
#                      are made of where W_COUNTS is set
#     W/NAME.fit       whether the machine can train it: footprint and forecast, JSON
#     W/NAME.train     batches for training, W/NAME.val for validation (W_VAL_FRACTION=0: none)
#     W/NAME.wts       the model; W/NAME.jsonl the log of its training
#     W/NAME.sample    text that it generates
#     W/NAME.score     how well it predicts the validation file W_SCORE, JSON
#
# Every program writes with -o, or its output is renamed: a target is complete or does not exist.
# A training that was interrupted, by Ctrl-C or a power cut, is resumed from its last checkpoint when
# make is called again: the checkpoints are in W/NAME.wts.ckpt, not in the target, which make deletes when
# a recipe fails.
# Where a configuration or the text has changed since, wtrain says so and stops: make W_ANEW=1 begins that
# training anew, as removing W/NAME.wts.ckpt does.
# A text that grows has its vocabulary learned again, and all that follows. W_VOCAB=FILE keeps one: a copy of
# W/vocab, or one that wtok import has made.
# Targets depend on their inputs and on the variables below, whose values are kept in W/.*.vars.
# Of a text that is a single document the end is kept for validation.
# Names may hold any characters that make takes for a name; a blank in W_TEXT is written "\ " (or name the
# folder: what is in it may have any name). Recipes run under bash with pipefail, those of the including
# Makefile as well.

# The first target here is not the goal of the Makefile that includes this.
W_GOAL_BEFORE := $(.DEFAULT_GOAL)

SHELL       := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:

W              ?= work
W_CONFIGS      ?= configs
W_VOCAB_SIZE   ?= 16000
W_EPOCHS       ?= 1
W_VAL_FRACTION ?= 0.01
W_REQUIRE      ?= ram<=90%
W_PROMPT       ?= The history of
W_SAMPLE_COUNT ?= 200
W_SCORE        ?=
W_DUMP         ?=
W_COUNTS       ?=
W_ANEW         ?=
W_VOCAB        ?= $(W)/vocab
# More options for one program; W_TOK_FLAGS for both wtok train and wtok encode.
W_WIKI_FLAGS   ?=
W_TOK_FLAGS    ?=
W_VOCAB_FLAGS  ?=
W_ENCODE_FLAGS ?=
W_GRAM_FLAGS   ?=
W_BATCH_FLAGS  ?=
W_TRAIN_FLAGS  ?=
W_SAMPLE_FLAGS ?=

.PRECIOUS: $(W)/%.fit $(W)/%.train $(W)/%.val $(W)/%.wts $(W)/.%.vars

# Any text as one word of the shell.
w_quoted = '$(subst ','\'',$(1))'
# A list of names as words of the shell, each after --; "\ " is a blank in a name.
w_mark  := ///
w_empty :=
w_blank := $(w_empty) $(w_empty)
w_names  = $(foreach f,$(subst \ ,$(w_mark),$(1)),$(call w_quoted,$(subst $(w_mark),$(w_blank),$f)))

# W/.STAGE.vars holds what a stage takes from variables, and is written anew when that changes; + so that
# make -n knows what would be made.
w_vars_text    = $(W_WIKI_FLAGS)
w_vars_vocab   = $(W_VOCAB_SIZE) $(W_TOK_FLAGS) $(W_VOCAB_FLAGS) $(W_TEXT)
w_vars_tokens  = $(W_VOCAB) $(W_TOK_FLAGS) $(W_ENCODE_FLAGS)
w_vars_counts  = $(W_GRAM_FLAGS)
w_vars_fit     = $(W_REQUIRE)
w_vars_batches = $(W_VAL_FRACTION) $(W_BATCH_FLAGS)
w_vars_train   = $(W_EPOCHS)
w_vars_model   = $(W_TRAIN_FLAGS)
w_vars_sample  = $(W_PROMPT) $(W_SAMPLE_COUNT) $(W_SAMPLE_FLAGS)
w_vars_score   = $(W_SCORE)
.PHONY: w_always
w_always:
$(W)/.%.vars: w_always | $(W)
	+@[[ -d $(W) ]] || exit 0; value=$(call w_quoted,$(w_vars_$*)); \
	[[ -e $@ && $$value == "$$(cat $@)" ]] || printf '%s\n' "$$value" >$@

ifneq ($(W_DUMP),)
W_TEXT ?= $(W)/text.jsonl
endif

$(W):
	mkdir -p $@

$(W)/text.jsonl: $(W_DUMP) $(W)/.text.vars | $(W)
	wwiki extract $(W_WIKI_FLAGS) -o $@ -- $(call w_names,$(W_DUMP))

$(W)/vocab: $(W_TEXT) $(W)/.vocab.vars | $(W)
	wtok train -n $(W_VOCAB_SIZE) $(W_TOK_FLAGS) $(W_VOCAB_FLAGS) -o $@ -- $(call w_names,$(W_TEXT))

$(W)/tokens: $(W_VOCAB) $(W_TEXT) $(W)/.tokens.vars | $(W)
	wtok encode -V $(call w_names,$(W_VOCAB)) $(W_TOK_FLAGS) $(W_ENCODE_FLAGS) -o $@ -- $(call w_names,$(W_TEXT))

$(W)/counts: $(W)/tokens $(W)/.counts.vars
	wgram learn $(W_GRAM_FLAGS) -o $@ $<

$(W)/counted: $(W)/counts $(W)/tokens
	wgram add -m $< --leave-out -o $@ $(W)/tokens

W_BATCHED := $(W)/$(if $(W_COUNTS),counted,tokens)
$(W)/%.fit: $(W_CONFIGS)/%.json $(W)/.fit.vars | $(W)
	wcachefit --json --require $(call w_quoted,$(W_REQUIRE)) -o $@ $<

W_VAL := $(if $(filter-out 0,$(W_VAL_FRACTION)),$(W)/%.val)
$(W)/%.train $(W_VAL): $(W_BATCHED) $(W_CONFIGS)/%.json $(W)/.batches.vars $(W)/.train.vars
	wbatch -c $(W_CONFIGS)/$*.json \
		$(if $(W_VAL),--val-fraction $(W_VAL_FRACTION) --val-output $(W)/$*.val) \
		--epochs $(W_EPOCHS) $(W_BATCH_FLAGS) -o $(W)/$*.train $<

$(W)/%.wts: $(W)/%.train $(W_VAL) $(W_CONFIGS)/%.json $(W)/%.fit $(W)/.model.vars
	$(if $(W_ANEW),rm -rf $@.ckpt;) \
	wtrain -c $(W_CONFIGS)/$*.json $(if $(W_VAL),--val $(W)/$*.val) --log $(W)/$*.jsonl \
		--resume $@.ckpt $(W_TRAIN_FLAGS) -o $@ $<

# Under a name that nobody else can have made, then renamed; readable as the umask says.
w_put = new=$$(mktemp -d $(W)/.new.XXXXXX); trap 'rm -rf "$$new"' EXIT; $(1) >"$$new/out"; mv "$$new/out" $@
$(W)/%.sample: $(W)/%.wts $(W)/.sample.vars
	$(call w_put,wsample -m $< -p $(call w_quoted,$(W_PROMPT)) -n $(W_SAMPLE_COUNT) $(W_SAMPLE_FLAGS))

# Asked for before the model, which takes longer.
.PHONY: w_ask_score
w_ask_score:
	@echo 'wtools.mk: name a file to score: W_SCORE=FILE' >&2; exit 2
$(W)/%.score: $(or $(W_SCORE),w_ask_score) $(W)/%.wts $(W)/.score.vars
	$(call w_put,wsample -m $(W)/$*.wts --score $(call w_names,$(W_SCORE)) --json)

.DEFAULT_GOAL := $(W_GOAL_BEFORE)
