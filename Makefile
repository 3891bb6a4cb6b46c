# mt - GNU make and pkg-config, no configure. Everything that is built lands in $(B).
#
#	make		build		make demo	see it work
#	make check	all tests	make install	PREFIX=/usr/local DESTDIR=

PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
SBINDIR ?= $(PREFIX)/sbin
MANDIR ?= $(PREFIX)/share/man
SYSCONFDIR ?= /etc
UNITDIR ?= $(PREFIX)/lib/systemd
B ?= build
O ?= $(B)/obj
CC ?= gcc
ifeq ($(origin CC),default)
CC = gcc
endif
VERSION := $(shell sed -n 's/.*MT_VERSION "\(.*\)"/\1/p' cmd/cmd.h)

PKGS = libcurl openssl gmime-3.0 libidn2 libconfuse jansson sqlite3 libzstd zlib \
	libxml-2.0 libseccomp libmagic glib-2.0
# These need no library, or call make again when `deps` has put it there.
GOALS_WITHOUT_LIBS = deps demo check check-asan fuzz bench cover dist rfc clean uninstall
ifneq ($(filter-out $(GOALS_WITHOUT_LIBS),$(or $(MAKECMDGOALS),all)),)
ifneq ($(shell pkg-config --exists $(PKGS) 2>/dev/null && \
	$(CC) -fsyntax-only -include notmuch.h -x c /dev/null 2>/dev/null && echo yes),yes)
$(error A compiler, pkg-config or a library is missing. Run "make deps": it installs, with \
	apt, what is needed to build and test)
endif
PKG_CFLAGS := $(patsubst -I%,-isystem %,$(shell pkg-config --cflags $(PKGS)))
PKG_LIBS := $(shell pkg-config --libs $(PKGS)) -lnotmuch -lcrypt
endif

WARN = -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Wcast-qual -Wformat=2 \
	-Wvla -Wundef -Wmissing-prototypes
OPT ?= -O2 -g
HARDEN = -fPIE -fstack-protector-strong -fstack-clash-protection $(FORTIFY)
FORTIFY ?= -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
CFLAGS ?=
ALL_CFLAGS = -std=gnu17 -D_GNU_SOURCE $(OPT) $(HARDEN) $(WARN) $(WERROR) $(SAN) -pthread \
	-ffunction-sections -fdata-sections -Ilibmt $(PKG_CFLAGS) -MMD -MP $(CFLAGS)
# `make V=1` shows whole command lines.
V ?= 0
ifeq ($(V),0)
Q = @printf '  %-5s %s\n' $(1) $@;
else
Q =
endif
BAN = -include libmt/base/banned.h
ALL_LDFLAGS = -pie -Wl,-z,relro,-z,now -Wl,--gc-sections -Wl,--as-needed -pthread $(SAN) \
	$(LDFLAGS)

LIB_SRC := $(wildcard libmt/*/*.c)
LIB_OBJ = $(LIB_SRC:%.c=$(O)/%.o)
LIB = $(B)/libmt.a
CMDS := $(patsubst cmd/%.c,%,$(filter-out cmd/cmd.c,$(wildcard cmd/mt*.c)))
BIN = $(CMDS:%=$(B)/bin/%)
UNIT := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/*/*.c))
UNIT_BIN = $(UNIT:%=$(B)/unit/%.t)
FUZZ := $(patsubst tests/fuzz/%.c,%,$(filter-out tests/fuzz/replay.c,$(wildcard tests/fuzz/*.c)))
FUZZ_BIN = $(FUZZ:%=$(B)/fuzz/%)
TOOLS := $(patsubst tests/tools/%.c,%,$(wildcard tests/tools/*.c))
TOOL_BIN = $(TOOLS:%=$(B)/tools/%)

all: $(BIN) $(if $(filter mt-send,$(CMDS)),$(B)/bin/sendmail $(B)/bin/mailq $(B)/bin/newaliases)

$(B)/bin/sendmail $(B)/bin/mailq $(B)/bin/newaliases: $(B)/bin/mt-send
	@ln -sf mt-send $@

$(O)/libmt/%.o: libmt/%.c
	@mkdir -p $(@D)
	$(call Q,CC) $(CC) $(ALL_CFLAGS) $(BAN) -c -o $@ $<

$(O)/cmd/%.o: cmd/%.c
	@mkdir -p $(@D)
	$(call Q,CC) $(CC) $(ALL_CFLAGS) $(BAN) -Icmd -c -o $@ $<

$(O)/tests/%.o: tests/%.c
	@mkdir -p $(@D)
	$(call Q,CC) $(CC) $(ALL_CFLAGS) -Itests -c -o $@ $<

$(LIB): $(LIB_OBJ)
	@rm -f $@
	@$(AR) rcs $@ $^

# Further files of mt-NAME are cmd/NAME_*.c.
parts_of = $(patsubst %.c,$(O)/%.o,$(wildcard cmd/$(1)_*.c))
$(B)/bin/mt-send: $(call parts_of,send)
$(B)/bin/mt-fetch: $(call parts_of,fetch)
$(B)/bin/mt-index: $(call parts_of,index)

$(B)/bin/%: $(O)/cmd/%.o $(O)/cmd/cmd.o $(LIB)
	@mkdir -p $(@D)
	$(call Q,LINK) $(CC) -o $@ $(filter %.o,$^) $(LIB) $(ALL_LDFLAGS) $(PKG_LIBS)

$(B)/unit/%.t: $(O)/tests/unit/%.o $(LIB)
	@mkdir -p $(@D)
	$(call Q,LINK) $(CC) -o $@ $^ $(ALL_LDFLAGS) $(PKG_LIBS)

$(B)/fuzz/%: $(O)/tests/fuzz/%.o $(O)/tests/fuzz/replay.o $(LIB)
	@mkdir -p $(@D)
	$(call Q,LINK) $(CC) -o $@ $^ $(ALL_LDFLAGS) $(PKG_LIBS)

$(B)/tools/%: $(O)/tests/tools/%.o $(LIB)
	@mkdir -p $(@D)
	$(call Q,LINK) $(CC) -o $@ $^ $(ALL_LDFLAGS) $(PKG_LIBS)

tests-bin: all $(UNIT_BIN) $(FUZZ_BIN) $(TOOL_BIN)

include tests/tests.mk

clean:
	rm -rf $(B)/bin $(B)/obj $(B)/unit $(B)/fuzz $(B)/tools $(B)/libmt.a $(B)/asan \
	    $(B)/cover $(B)/libfuzzer $(B)/completion $(B)/stamp-deps

.PHONY: all tests-bin clean
.SECONDARY:
-include $(shell find $(O) -name '*.d' 2>/dev/null)
