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
#     W/vocab          the vocabulary, shared by all configurations
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
# Targets depend on their inputs and not on the variables below: after changing one, delete the
# target. Recipes run under bash with pipefail, those of the including Makefile as well.

# The first target here is not the goal of the Makefile that includes this.
W_GOAL_BEFORE := $(.DEFAULT_GOAL)

SHELL       := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.SECONDARY:

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
# More options for one program.
W_WIKI_FLAGS   ?=
W_TOK_FLAGS    ?=
W_GRAM_FLAGS   ?=
W_BATCH_FLAGS  ?=
W_TRAIN_FLAGS  ?=
W_SAMPLE_FLAGS ?=

# Any text as one word of the shell.
w_quoted = '$(subst ','\'',$(1))'

ifneq ($(W_DUMP),)
W_TEXT ?= $(W)/text.jsonl
endif

$(W):
	mkdir -p $@

$(W)/text.jsonl: $(W_DUMP) | $(W)
	wwiki extract $(W_WIKI_FLAGS) -o $@ $(W_DUMP)

$(W)/vocab: $(W_TEXT) | $(W)
	wtok train -n $(W_VOCAB_SIZE) $(W_TOK_FLAGS) -o $@ $(W_TEXT)

$(W)/tokens: $(W)/vocab $(W_TEXT)
	wtok encode -V $< $(W_TOK_FLAGS) -o $@ $(W_TEXT)

$(W)/counts: $(W)/tokens
	wgram learn $(W_GRAM_FLAGS) -o $@ $<

$(W)/counted: $(W)/counts $(W)/tokens
	wgram add -m $< --leave-out -o $@ $(W)/tokens

W_BATCHED := $(W)/$(if $(W_COUNTS),counted,tokens)
$(W)/%.fit: $(W_CONFIGS)/%.json | $(W)
	wcachefit --json --require $(call w_quoted,$(W_REQUIRE)) -o $@ $<

$(W)/%.train: $(W_BATCHED) $(W_CONFIGS)/%.json
	wbatch -c $(W_CONFIGS)/$*.json --val-fraction $(W_VAL_FRACTION) --split train \
		--epochs $(W_EPOCHS) $(W_BATCH_FLAGS) -o $@ $<

$(W)/%.val: $(W_BATCHED) $(W_CONFIGS)/%.json
	wbatch -c $(W_CONFIGS)/$*.json --val-fraction $(W_VAL_FRACTION) --split val \
		$(W_BATCH_FLAGS) -o $@ $<

W_VAL := $(if $(filter-out 0,$(W_VAL_FRACTION)),$(W)/%.val)
$(W)/%.wts: $(W)/%.train $(W_VAL) $(W_CONFIGS)/%.json $(W)/%.fit
	wtrain -c $(W_CONFIGS)/$*.json $(if $(W_VAL),--val $(W)/$*.val) --log $(W)/$*.jsonl --resume $@.ckpt \
		$(W_TRAIN_FLAGS) -o $@ $<

$(W)/%.sample: $(W)/%.wts
	wsample -m $< -p $(call w_quoted,$(W_PROMPT)) -n $(W_SAMPLE_COUNT) $(W_SAMPLE_FLAGS) >$@.tmp
	mv $@.tmp $@

$(W)/%.score: $(W)/%.wts $(W_SCORE)
	wsample -m $< --score $(W_SCORE) --json >$@.tmp
	mv $@.tmp $@

.DEFAULT_GOAL := $(W_GOAL_BEFORE)
