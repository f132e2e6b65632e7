# wtools: `make help` lists the targets. CONTRIBUTING.md has the rules that the sources follow.
#
# Each set of flags builds in a folder of its own, so that release, sanitizer and coverage objects
# never mix: build/release, build/asan, build/tsan.

CONFIG  ?= release
CC      ?= cc
PREFIX  ?= /usr/local
DESTDIR ?=
PKG_CONFIG ?= pkg-config

BUILD := build/$(CONFIG)

# ---- sources: one file a line, in the order of the layers ----

LIB_SOURCES := \
	lib/base/arena.c \
	lib/base/rng.c \
	lib/base/status.c \
	lib/base/strnum.c \
	lib/sys/clock.c \
	lib/sys/cpuid.c \
	lib/sys/deflate.c \
	lib/sys/fdio.c \
	lib/sys/json.c \
	lib/sys/machine.c \
	lib/sys/machine_json.c \
	lib/conf/conf.c \
	lib/conf/option.c \

TOOLS :=

TOOL_SOURCES := \
	tools/cli.c \

UNIT_TESTS := \
	test_base \
	test_conf \
	test_json \
	test_machine \

# ---- flags ----

PACKAGES := zlib libcjson
WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla \
	-Wpointer-arith -Werror
CONFIG_FLAGS_release := -O2 -g
CONFIG_FLAGS_asan    := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer
CONFIG_FLAGS_tsan    := -O1 -g -fsanitize=thread -fno-omit-frame-pointer
CONFIG_FLAGS := $(CONFIG_FLAGS_$(CONFIG))

PACKAGE_CFLAGS = $(shell $(PKG_CONFIG) --cflags $(PACKAGES))
PACKAGE_LIBS   = $(shell $(PKG_CONFIG) --libs $(PACKAGES))

CFLAGS   ?=
CPPFLAGS ?=
LDFLAGS  ?=
W_CFLAGS = -std=c11 -D_GNU_SOURCE -pthread -Ilib -I. -MMD -MP $(WARNINGS) $(CONFIG_FLAGS) \
	$(PACKAGE_CFLAGS) $(CPPFLAGS) $(CFLAGS)
W_LIBS = $(PACKAGE_LIBS) -lm -ldl -pthread

LIB_OBJECTS  := $(LIB_SOURCES:%.c=$(BUILD)/%.o)
TOOL_OBJECTS := $(TOOL_SOURCES:%.c=$(BUILD)/%.o)
PROGRAMS     := $(TOOLS:%=$(BUILD)/%)
TESTS        := $(UNIT_TESTS:%=$(BUILD)/tests/unit/%)

all: $(PROGRAMS) ## build the programs
.PHONY: all test check-asan check-tsan clean help

$(BUILD)/libw.a: $(LIB_OBJECTS)
	$(AR) rcs $@.tmp $^ && mv $@.tmp $@

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(W_CFLAGS) -c $< -o $@

$(PROGRAMS): $(BUILD)/%: $(BUILD)/tools/%.o $(TOOL_OBJECTS) $(BUILD)/libw.a
	$(CC) $(W_CFLAGS) $(LDFLAGS) $(filter %.o %.a,$^) $(W_LIBS) -o $@

$(TESTS): $(BUILD)/%: %.c $(BUILD)/libw.a
	@mkdir -p $(@D)
	$(CC) $(W_CFLAGS) $(LDFLAGS) $< $(BUILD)/libw.a $(W_LIBS) -lcmocka -o $@

test: $(PROGRAMS) $(TESTS) ## run every test
	tests/run $(BUILD)

check-asan: ## run every test under the address and undefined-behaviour sanitizers
	$(MAKE) CONFIG=asan test

check-tsan: ## run the tests of threads under the thread sanitizer
	$(MAKE) CONFIG=tsan test

clean: ## remove everything that was built
	rm -rf build

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

-include $(shell find build/$(CONFIG) -name '*.d' 2>/dev/null)
