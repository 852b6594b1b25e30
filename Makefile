# SPDX-License-Identifier: GPL-2.0-or-later
#
# make help lists the targets. Everything that is built goes below $(O).
#
#   CC=clang                     another compiler
#   SANITIZE=address,undefined   a sanitized build, in a directory of its own
#   COVERAGE=1                   the same for gcov
#   DEBUG=1                      keep the symbols
#   V=1                          show the commands

O        ?= build$(if $(SANITIZE),-$(subst $(comma),-,$(SANITIZE)))$(if $(COVERAGE),-coverage)

# Where who looks for it: containerd, CRI-O, nerdctl, Nomad; podman 4, before
# /usr/lib/cni; podman 5's netavark; podman's hooks, nowhere else; systemd, bash, man.
PREFIX    ?= /usr/local
BINDIR    ?= $(PREFIX)/bin
CNIBINDIR ?= /opt/cni/bin
PODMANDIR ?= $(PREFIX)/libexec/cni
NETAVARKDIR ?= $(PREFIX)/libexec/netavark
HOOKSDIR  ?= /usr/share/containers/oci/hooks.d
UNITDIR   ?= $(PREFIX)/lib/systemd/system
COMPLETIONDIR ?= $(PREFIX)/share/bash-completion/completions
MANDIR    ?= $(PREFIX)/share/man

comma    := ,
Q        := $(if $(V),,@)
# With as many at a time as there are processors, unless make was told a number.
BUILD     = $(MAKE) --no-print-directory $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell nproc))

# --- what it is built from ---------------------------------------------------

PLUGINS  := bandwidth bridge dhcp dnsname dummy firewall host-device host-local \
            ipvlan loopback macvlan portmap ptp sbr static tap tuning vlan vrf
LIBS     := libnl-3.0 libmnl libnftnl libcjson
# Each shared library costs each call of a plugin some 60 us: what comes as an
# archive as well is linked in. (Of libmd one function is used.)
linked_in = $(if $(filter /%,$(shell $(CC) -print-file-name=lib$(1).a 2>/dev/null)),-l:lib$(1).a,-l$(1))
LINKED_IN := $(foreach lib,nl-3 nftnl md ev,$(call linked_in,$(lib)))
REFERENCE ?= /usr/lib/cni
CAPTURES ?= ../shared/reference/captures
PKGCONF  ?= pkg-config

# Debian's names of what is needed, and installed where it is missing.
DEPS_BUILD := gcc libc6-dev pkg-config libnl-3-dev libmnl-dev libnftnl-dev \
              libcjson-dev libmd-dev libev-dev libnftables-dev libsystemd-dev
DEPS_DEMO  := iproute2 iputils-ping nftables
DEPS_CHECK := libcmocka-dev bats jq strace procps iptables busybox-static \
              dnsmasq-base bind9-dnsutils containernetworking-plugins \
              dbus-daemon dbus-bin iperf3
# firewalld is not among them: its package starts it, on the machine itself. So
# would ISC's, and aardvark-dns would be found by who asks for none in particular:
# these are unpacked, and used as they are.
UNPACKED   := isc-dhcp-server aardvark-dns \
              golang-github-containernetworking-plugin-dnsname
# The Go reference as it is in sid, besides that of Debian 12.
REFERENCE_SID := containernetworking-plugins
# Container engines. Those that their packages would start are unpacked.
DEPS_CLIENTS     := podman conmon crun runc uidmap slirp4netns buildah bubblewrap \
                    systemd-container busybox-static python3-grpcio python3-protobuf
UNPACKED_CLIENTS := lxc liblxc1 liblxc-common docker.io containerd
# What Debian 12 has not, or older, and what that needs.
UNPACKED_SID     := containerd netavark aardvark-dns apptainer podman crun passt libc6 libassuan9 \
                    libblake3-0 libgpg-error0 libgpgme45 libjson-c5 libseccomp2 libsqlite3-0 libsubid6
DEPS_LAB   := kmod
DEPS_LINT  := git clang-format clang-tidy cppcheck shellcheck mandoc universal-ctags

VERSION  := 1.9.1
CPPFLAGS += -D_GNU_SOURCE -DHAWSER_VERSION='"$(VERSION)"' \
            -DHAWSER_CNIBINDIR='"$(CNIBINDIR)"' -Inetlib -Iplugins
CFLAGS   ?= -O2 -g
CFLAGS   += -std=gnu11 -Wall -Wextra -Wshadow -Wstrict-prototypes \
            -Wmissing-prototypes -Wvla -Wformat=2 -Wundef -Wpointer-arith \
            -Wwrite-strings -Wno-missing-field-initializers \
            -fstack-protector-strong -fPIE -fno-common \
            -ffunction-sections -fdata-sections
LDFLAGS  += -pie -Wl,-z,relro,-z,now,--as-needed,--gc-sections
STRIP    := $(if $(SANITIZE)$(COVERAGE)$(DEBUG),,-s)
ifdef SANITIZE
CFLAGS   += -fsanitize=$(SANITIZE) -fno-omit-frame-pointer -fno-sanitize-recover=all
LDFLAGS  += -fsanitize=$(SANITIZE)
else
CPPFLAGS += $(if $(COVERAGE),,-D_FORTIFY_SOURCE=2)
endif
ifdef COVERAGE
CFLAGS   += --coverage -O0
LDFLAGS  += --coverage
endif
ifdef CI
CFLAGS   += -Werror
endif
PKGFLAGS := $(shell $(PKGCONF) --cflags $(LIBS) 2>/dev/null)
PKGLIBS  := $(shell $(PKGCONF) --libs libmnl libcjson 2>/dev/null)
CPPFLAGS += $(PKGFLAGS)
LDLIBS   += $(LINKED_IN) $(PKGLIBS) -ldl -lm

SRC      := $(wildcard netlib/*/*.c plugins/*.c plugins/*/*.c plugins/*/*/*.c)
OBJ      := $(SRC:%.c=$(O)/%.o)
LIBOBJ   := $(filter-out $(O)/plugins/main.o,$(OBJ))
UNIT     := $(patsubst %.c,$(O)/%,$(wildcard tests/unit/test_*.c))
SOURCES  := $(SRC) $(wildcard netlib/*/*.h plugins/*.h plugins/*/*.h plugins/*/*/*.h tests/*/*.c tests/*/*.h)

# --- building ----------------------------------------------------------------

all: ## build the plugins and the command line (the default)
	$(Q).ci/deps.sh $(DEPS_BUILD)
	$(Q)$(BUILD) build

build: $(O)/bin/hawser

$(O)/bin/hawser: $(OBJ)
	@mkdir -p $(@D)
	@echo "  LD      $@"
	$(Q)$(CC) $(LDFLAGS) $(STRIP) -o $@ $^ $(LDLIBS)
	$(Q)for p in $(PLUGINS); do ln -f $@ $(@D)/$$p; done

$(O)/%.o: %.c Makefile
	@mkdir -p $(@D)
	@echo "  CC      $<"
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# an environment is made of char *, in a test of string literals
$(O)/tests/unit/%.o: CFLAGS += -Wno-write-strings
$(O)/tests/unit/%: $(O)/tests/unit/%.o $(LIBOBJ)
	@echo "  LD      $@"
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS) -lcmocka

$(O)/tests/%: tests/lib/%.c
	@mkdir -p $(@D)
	@echo "  CC      $<"
	$(Q)$(CC) -O2 -Wall -Wextra -o $@ $<

$(O)/tests/%: tests/bench/%.c
	@mkdir -p $(@D)
	@echo "  CC      $<"
	$(Q)$(CC) -O2 -Wall -Wextra -static -o $@ $<

.SECONDARY:
-include $(OBJ:.o=.d) $(UNIT:=.d)

# --- testing -----------------------------------------------------------------

check: deps-check ## run every test, against the reference plugins too
	$(Q)$(BUILD) build units peer
	$(Q)tests/run $(O) unit system conformance reference

check-unit: deps-check ## run the unit tests: seconds, no root
	$(Q)$(BUILD) units
	$(Q)tests/run $(O) unit

check-system: deps-check ## run the system tests, in private namespaces
	$(Q)$(BUILD) build peer
	$(Q)tests/run $(O) system

check-user: deps-check ## run the system tests as an ordinary user
	$(Q)$(BUILD) build peer
	$(Q)tests/lib/as-user.sh tests/run $(O) system

check-sanitized: ## run them under ASan and UBSan, as an ordinary user again
	$(Q)$(MAKE) --no-print-directory SANITIZE=address,undefined \
		check-unit-system

check-unit-system: deps-check
	$(Q)$(BUILD) build units peer
	$(Q)TAGS='!slow' tests/lib/as-user.sh tests/run $(O) unit system

check-kernel: deps-kernel deps-clients ## run them all under other kernels: tests/README.md
	$(Q)$(BUILD) build units peer
	$(Q)LOG=$(O)/log-kernel tests/run $(O) kernel

check-kernel-only: deps-kernel deps-clients ## of them what this machine's kernel may not be able to run
	$(Q)$(BUILD) build peer
	$(Q)LOG=$(O)/log-kernel tests/run $(O) kernel-only

check-clients: deps-check deps-clients ## real container engines, and the calls they were seen to make
	$(Q)$(BUILD) build peer
	$(Q)CAPTURES=$(CAPTURES) LOG=$(O)/log-clients tests/run $(O) clients

conformance: deps-check ## test any plugin directory: CNI_BIN=/usr/lib/cni
	$(Q)$(BUILD) build
	$(Q)tests/conformance/run $(or $(CNI_BIN),$(O)/bin)

bench: deps-check ## compare speed and size with the reference plugins
	$(Q)$(BUILD) build $(O)/tests/timeit peer
	$(Q)TIMEIT=$(O)/tests/timeit PEER=$(O)/tests/peer \
		tests/bench/run $(O)/bin $(REFERENCE)
	@echo
	$(Q)tests/bench/containerd $(O)/bin $(REFERENCE)
	$(Q)tests/bench/podman 4.3 $(O)/bin $(REFERENCE)
	$(Q)tests/bench/podman 5 $(O)/bin

bench-kernel: deps-kernel ## ... under another kernel, what this one has no devices for
	$(Q)$(BUILD) build $(O)/tests/timeit peer
	$(Q)tree=$$(tests/lib/prepare-lab.sh $(O) | tail -n 1) && \
		TIMEIT=$(O)/tests/timeit PEER=$(O)/tests/peer KERNEL_TIMEOUT=3600 \
		tests/lib/in-kernel.sh "$$tree" \
		tests/bench/run --interfaces $(O)/bin $(REFERENCE)

demo: ## two containers, a bridge, NAT: the main job, step by step
	$(Q).ci/deps.sh $(DEPS_BUILD) $(DEPS_DEMO)
	$(Q)$(BUILD) build
	$(Q)CNI_BIN=$(CURDIR)/$(O)/bin tests/demo.sh

lint: deps-lint ## check format, mistakes, and which way includes go
	$(Q)tests/lint.sh $(CPPFLAGS)

format: deps-lint ## format the C sources
	$(Q)clang-format -i $(SOURCES)

coverage: ## which lines the tests reach
	$(Q)$(MAKE) --no-print-directory check COVERAGE=1
	$(Q)gcovr --exclude tests --object-directory build-coverage

units: $(UNIT)

# what the system tests talk with
peer: $(O)/tests/peer $(O)/tests/router $(O)/tests/dhcp_peer

deps-check:
	$(Q).ci/deps.sh $(DEPS_BUILD) $(DEPS_DEMO) $(DEPS_CHECK)
	$(Q).ci/unpack.sh build/unpacked $(UNPACKED)
	$(Q)SUITE=sid .ci/unpack.sh build/unpacked-sid $(REFERENCE_SID)

deps-clients:
	$(Q).ci/deps.sh $(DEPS_CLIENTS)
	$(Q).ci/unpack.sh build/unpacked $(UNPACKED_CLIENTS)
	$(Q)SUITE=sid .ci/unpack.sh build/unpacked-sid $(UNPACKED_SID)

deps-kernel: deps-check
	$(Q).ci/deps.sh $(DEPS_LAB)

deps-lint:
	$(Q).ci/deps.sh $(DEPS_BUILD) $(DEPS_LINT) $(DEPS_CHECK)

deps-deb:
	$(Q).ci/deps.sh $(DEPS_BUILD) dpkg-dev

deps: ## install what building, testing and linting need (as root)
	$(Q).ci/deps.sh $(DEPS_BUILD) $(DEPS_DEMO) $(DEPS_CHECK) $(DEPS_LINT)

# --- installing --------------------------------------------------------------

# A Debian package, for those who want to be rid of it in one command again. Its
# files are nobody else's: /usr/libexec/cni comes before Debian's /usr/lib/cni.
deb: all deps-deb ## build a package: $(O)/hawser_VERSION_ARCHITECTURE.deb
	$(Q).ci/deb.sh $(O) $(VERSION) $(O)

UNITS := conf-examples/hawser-reload.service $(wildcard conf-examples/systemd/*)

# The plugins of a directory are one file, with a link for each but the first.
install: all ## install below $(DESTDIR): plugins, hawser, hook, units, pages
	for dir in $(CNIBINDIR) $(PODMANDIR); do \
		install -d $(DESTDIR)$$dir; \
		install -m 755 $(O)/bin/hawser $(DESTDIR)$$dir/$(firstword $(PLUGINS)); \
		for p in $(filter-out $(firstword $(PLUGINS)),$(PLUGINS)); do \
			ln -f $(DESTDIR)$$dir/$(firstword $(PLUGINS)) $(DESTDIR)$$dir/$$p; \
		done; \
	done
	install -D -m 755 $(O)/bin/hawser $(DESTDIR)$(BINDIR)/hawser
	install -d $(DESTDIR)$(NETAVARKDIR) $(DESTDIR)$(HOOKSDIR) $(DESTDIR)$(UNITDIR)
	ln -sf $(BINDIR)/hawser $(DESTDIR)$(NETAVARKDIR)/hawser
	for f in conf-examples/hooks.d/hawser.json,$(HOOKSDIR) $(UNITS:%=%,$(UNITDIR)); do \
		sed 's#/usr/local/bin#$(BINDIR)#; s#/opt/cni/bin#$(CNIBINDIR)#' $${f%,*} \
			>$(DESTDIR)$${f#*,}/$$(basename $${f%,*}); \
	done
	install -D -m 644 plugins/runtime/completion.bash $(DESTDIR)$(COMPLETIONDIR)/hawser
	install -D -m 644 -t $(DESTDIR)$(MANDIR)/man1 plugins/man/hawser.1
	install -D -m 644 -t $(DESTDIR)$(MANDIR)/man8 plugins/man/hawser-plugins.8

uninstall: ## remove what install has put there
	rm -f $(foreach dir,$(CNIBINDIR) $(PODMANDIR),$(PLUGINS:%=$(DESTDIR)$(dir)/%)) \
		$(DESTDIR)$(BINDIR)/hawser $(DESTDIR)$(NETAVARKDIR)/hawser \
		$(DESTDIR)$(HOOKSDIR)/hawser.json $(addprefix $(DESTDIR)$(UNITDIR)/,$(notdir $(UNITS))) \
		$(DESTDIR)$(COMPLETIONDIR)/hawser \
		$(DESTDIR)$(MANDIR)/man1/hawser.1 $(DESTDIR)$(MANDIR)/man8/hawser-plugins.8

clean: ## remove what was built
	rm -rf build build-*

help: ## show this
	@sed -n 's/^\([a-z-]*\):[^#]*## /  \1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 16

.PHONY: all build check check-unit check-system check-clients check-user check-kernel check-kernel-only check-sanitized check-unit-system \
        conformance bench bench-kernel demo lint format coverage units peer deps-check deps-clients deps-kernel deps-lint deps-deb deps install \
        uninstall deb clean help
