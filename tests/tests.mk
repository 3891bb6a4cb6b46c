# tests.mk - what is around the code: dependencies, tests, benchmarks, installation

# Debian packages: to build, and to test.
DEPS = gcc make libc6-dev pkg-config libcurl4-openssl-dev libssl-dev libgmime-3.0-dev \
	libnotmuch-dev libidn2-dev libconfuse-dev libjansson-dev libsqlite3-dev libzstd-dev \
	zlib1g-dev libxml2-dev libseccomp-dev libmagic-dev libglib2.0-dev libcrypt-dev \
	perl python3 openssl swaks libnet-ssleay-perl mandoc strace jq zstd procps time notmuch \
	sqlite3 gpg gpg-agent uidmap shellcheck zsh fish bash-completion git git-email \
	libmailtools-perl s-nail neomutt
SUDO = $(if $(filter 0,$(shell id -u)),,sudo)
APT_INSTALL = $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -q -y \
	--no-install-recommends --no-remove -o DPkg::Lock::Timeout=300

# $(call need_packages,NAMES): shell commands that install those that are missing, and
# say so before. They cost nothing when all is there.
define need_packages
if ! command -v dpkg-query >/dev/null; then \
	echo "No Debian packages here. This is needed: $(1)"; exit 0; \
fi; \
have=$$(dpkg-query -W -f='$${Package} $${db:Status-Status}\n' $(1) 2>/dev/null | \
	sed -n 's/ installed$$//p'); \
missing=$$(printf '%s\n' $(1) | grep -vxF "$$have"); \
[ -z "$$missing" ] && exit 0; \
echo "To be installed with apt-get$(if $(SUDO), through sudo):" $$missing; \
$(APT_INSTALL) $$missing || { $(SUDO) apt-get update -q && $(APT_INSTALL) $$missing; }
endef

deps:
	@$(call need_packages,$(DEPS))

# A make below, in parallel unless we are told how.
JOBS ?= $(shell nproc)
SUBMAKE = $(MAKE) --no-print-directory $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(JOBS))

# --- tests: programs and scripts that print TAP, under one prove --------------------
# A test that hangs is ended after TEST_TIME. Tests wait more than they work.
TEST_TIME ?= 480
PROVE = prove --failures --exec 'timeout -k 15 $(TEST_TIME)' -j $$(($(JOBS) * 2)) $(PROVEFLAGS)
FUZZ_TESTS = $(FUZZ:%=$(B)/fuzz/%.t)
LINT_TESTS = $(wildcard tests/lint/*.t)
E2E_TESTS = $(wildcard tests/e2e/*.t)
PEER_TESTS = $(wildcard tests/peer/*.t)
CRASH_TESTS = $(wildcard tests/crash/*.t)

check: deps
	@tests/peers fetch || [ -z "$$MT_NO_SKIP" ]
	@$(SUBMAKE) tests-bin $(FUZZ_TESTS) completion
	@$(MAKE) --no-print-directory check-run

check-run:
	@MT_BUILD=$(B) $(PROVE) $(PEER_TESTS) $(CRASH_TESTS) $(E2E_TESTS) $(UNIT_BIN) \
	    $(FUZZ_TESTS) $(LINT_TESTS)

# One test by name: make test T=e2e/send, make test T=unit/base/buf
THE_TEST = $(filter $(B)/$(T).t,$(UNIT_BIN) $(FUZZ_TESTS))
test: tests-bin completion $(THE_TEST)
	@MT_BUILD=$(B) prove -v --exec '' $(or $(THE_TEST),tests/$(T).t)

SANITIZE = -fsanitize=address,undefined -fno-sanitize-recover=undefined
check-asan: deps
	@$(SUBMAKE) B=build/asan OPT='-O1 -g' FORTIFY= SAN='$(SANITIZE)' asan-build
	@$(MAKE) --no-print-directory B=build/asan SAN='$(SANITIZE)' asan-run

asan-build: tests-bin $(FUZZ_TESTS)

asan-run:
	@MT_BUILD=$(B) MT_SANITIZED=1 $(PROVE) $(E2E_TESTS) $(UNIT_BIN) $(FUZZ_TESTS)

$(B)/fuzz/%.t: $(B)/fuzz/%
	@printf '#!/bin/sh\nexec %s %s\n' '$<' 'tests/fuzz/corpus/$*' >$@
	@chmod +x $@

# make fuzz F=NAME T=SECONDS: look for new inputs with libFuzzer; all targets without F.
T ?= 60
fuzz: deps
	@$(call need_packages,clang)
	@$(SUBMAKE) B=build/libfuzzer CC=clang OPT='-O1 -g' FORTIFY= \
	    SAN='-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined' \
	    $(patsubst %,build/libfuzzer/run/%,$(or $(F),$(FUZZ)))
	@for f in $(or $(F),$(FUZZ)); do \
		mkdir -p build/libfuzzer/corpus/$$f; \
		echo "fuzz: $$f for $(T) s"; \
		build/libfuzzer/run/$$f -max_total_time=$(T) -print_final_stats=1 \
		    -artifact_prefix=build/libfuzzer/crash-$$f- \
		    build/libfuzzer/corpus/$$f tests/fuzz/corpus/$$f || exit; \
	done

$(B)/run/%: $(O)/tests/fuzz/%.o $(LIB)
	@mkdir -p $(@D)
	$(CC) -fsanitize=fuzzer -o $@ $^ $(ALL_LDFLAGS) $(PKG_LIBS)

# Lines that unit, fuzz-corpus and end-to-end tests run, per folder.
cover: deps
	@$(SUBMAKE) B=build/cover OPT='-O0 -g' FORTIFY= SAN=--coverage tests-bin \
	    $(FUZZ:%=build/cover/fuzz/%.t)
	@find build/cover -name '*.gcda' -delete
	@MT_BUILD=build/cover $(PROVE) $(UNIT:%=build/cover/unit/%.t) \
	    $(FUZZ:%=build/cover/fuzz/%.t) $(E2E_TESTS) || true
	@tests/tools/coverage build/cover/obj

# make bench, make bench B=NAME
bench: deps
	@tests/peers fetch
	@$(SUBMAKE) B=build bench-build
	@$(MAKE) --no-print-directory B=build BENCH='$(filter-out build,$(B))' bench-run

bench-build: all $(TOOL_BIN)

bench-run:
	@rc=0; for b in $(or $(BENCH),$(patsubst tests/bench/%.sh,%,$(wildcard tests/bench/*.sh))); do \
		echo "== $$b"; \
		MT_BUILD=$(B) tests/bench/$$b.sh || rc=1; \
	done; exit $$rc

lint: all completion
	@MT_BUILD=$(B) $(PROVE) $(LINT_TESTS)

# Every place that implements a section of a standard.
rfc:
	@grep -rnoE 'RFC [0-9]+( [0-9A-Z]+(\.[0-9]+)*)?' cmd libmt | \
	    awk -F: '{ print $$3 "\t" $$1 ":" $$2 }' | sort -V -u

# --- see it work --------------------------------------------------------------------
# make demo MAIL=path. A login sets MAIL too, to a mailbox that may not even exist.
demo: deps
	@$(SUBMAKE) all $(TOOL_BIN)
	@MT_BUILD=$(B) etc/demo.sh $(if $(filter command,$(origin MAIL)),'$(MAIL)')

# --- installation ---------------------------------------------------------------------
SBIN_CMDS = $(filter mt-serve,$(CMDS))
PAGES = $(wildcard man/*.[1-8])
UNITS = $(wildcard etc/*.service etc/*.socket etc/*.timer)
SAMPLES = $(wildcard etc/*.conf etc/*.crontab)
COMPLETION = $(B)/completion
DATADIR ?= $(PREFIX)/share
D = $(DESTDIR)

# Words for bash, zsh and fish, from the option tables of the commands.
completion: $(COMPLETION)/stamp

$(COMPLETION)/stamp: shell-completion/generate $(BIN) $(wildcard shell-completion/*/*)
	@mkdir -p $(B)/bin && rm -rf $(COMPLETION)
	@shell-completion/generate $(B)/bin $(COMPLETION)
	@touch $@

install: all completion
	@echo "Installing below $(D)$(PREFIX)"
	@install -d $(D)$(BINDIR) $(D)$(SBINDIR)
	@install $(patsubst %,$(B)/bin/%,$(filter-out $(SBIN_CMDS),$(CMDS))) $(D)$(BINDIR)
	@$(if $(SBIN_CMDS),install $(SBIN_CMDS:%=$(B)/bin/%) $(D)$(SBINDIR))
	@for page in $(PAGES); do \
		install -D -m 644 $$page $(D)$(MANDIR)/man$${page##*.}/$${page##*/} || exit; \
	done
	@for shell in bash zsh fish; do \
		case $$shell in \
		bash) to=bash-completion/completions ;; \
		zsh) to=zsh/site-functions ;; \
		fish) to=fish/vendor_completions.d ;; \
		esac; \
		install -d $(D)$(DATADIR)/$$to && \
		install -m 644 $(COMPLETION)/$$shell/* $(D)$(DATADIR)/$$to/ || exit; \
	done
	@for unit in $(UNITS); do \
		case $$unit in *.user.*) to=user ;; *) to=system ;; esac; \
		name=$$(basename $$unit | sed 's/\.user\././'); \
		install -d $(D)$(UNITDIR)/$$to && \
		sed 's|@BINDIR@|$(BINDIR)|g; s|@SBINDIR@|$(SBINDIR)|g' $$unit \
		    >$(D)$(UNITDIR)/$$to/$$name && \
		chmod 644 $(D)$(UNITDIR)/$$to/$$name || exit; \
	done
	@for sample in $(SAMPLES); do \
		install -D -m 644 $$sample $(D)$(DATADIR)/doc/mt/$${sample##*/} || exit; \
	done
	@to=$(D)$(SBINDIR)/sendmail; \
	old=$$(PATH=$$PATH:/usr/sbin:/usr/lib command -v sendmail); \
	if [ "$$(readlink "$$to")" = $(BINDIR)/mt-send ]; then :; \
	elif [ -e "$$to" ] || { [ -z "$(D)" ] && [ -n "$$old" ]; }; then \
		echo "sendmail: there is one already ($${old:-$$to}): left alone"; \
	else \
		ln -s $(BINDIR)/mt-send "$$to"; \
		for c in mailq newaliases; do \
			[ -e $(D)$(BINDIR)/$$c ] || ln -s $(BINDIR)/mt-send $(D)$(BINDIR)/$$c; \
		done; \
	fi

uninstall:
	@echo "Uninstalling below $(D)$(PREFIX)"
	@rm -f $(CMDS:%=$(D)$(BINDIR)/%) $(CMDS:%=$(D)$(SBINDIR)/%)
	@[ "$$(readlink $(D)$(SBINDIR)/sendmail)" != $(BINDIR)/mt-send ] || \
	    rm $(D)$(SBINDIR)/sendmail
	@for c in mailq newaliases; do \
		[ "$$(readlink $(D)$(BINDIR)/$$c)" != $(BINDIR)/mt-send ] || rm $(D)$(BINDIR)/$$c; \
	done
	@for page in $(PAGES); do rm -f $(D)$(MANDIR)/man$${page##*.}/$${page##*/}; done
	@for c in $(CMDS); do \
		rm -f $(D)$(DATADIR)/bash-completion/completions/$$c \
		    $(D)$(DATADIR)/zsh/site-functions/_$$c \
		    $(D)$(DATADIR)/fish/vendor_completions.d/$$c.fish; \
	done
	@for unit in $(notdir $(UNITS)); do \
		name=$$(echo $$unit | sed 's/\.user\././'); \
		rm -f $(D)$(UNITDIR)/system/$$name $(D)$(UNITDIR)/user/$$name; \
	done
	@rm -rf $(D)$(DATADIR)/doc/mt

dist:
	@mkdir -p build
	@git archive --format=tar --prefix=mt-$(VERSION)/ HEAD | gzip -9n >build/mt-$(VERSION).tar.gz
	@echo build/mt-$(VERSION).tar.gz

.PHONY: deps check check-run test check-asan asan-build asan-run fuzz cover bench \
	bench-build bench-run lint rfc demo completion install uninstall dist

# For tests/lint: how our code is compiled.
print-flags:
	@echo $(filter-out -MMD -MP,$(ALL_CFLAGS))
