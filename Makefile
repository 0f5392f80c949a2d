# SPDX-License-Identifier: BSD-2-Clause
#
# Aerostat. `make help` lists the targets. From top to bottom: settings, what
# must be installed, newlib, the kernel, the UEFI image, host tools, running,
# tests, chores. All output lies under $(BUILD).

BUILD ?= build
CC = gcc
LD = ld
AR = ar
HOSTCC = gcc

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

# `make V=1` shows the commands themselves.
say = $(if $(V),,@echo '  $(1)	$@';)

# ---- Packages ----
#
# What a goal needs is installed before any of it is looked for; PACKAGES=no
# trusts that all is there. The stamp saves asking each time.

GOALS := $(or $(MAKECMDGOALS),all)
NO_PACKAGES := help clean fmt check-layers check-conformance model
RUN_GOALS := run run-uefi demo tools virsh-demo install

PACKAGE_SETS := $(if $(filter-out $(NO_PACKAGES),$(GOALS)),build) \
	$(if $(filter-out $(NO_PACKAGES) all,$(GOALS)),run) \
	$(if $(filter-out $(NO_PACKAGES) run run-uefi demo all,$(GOALS)),tools) \
	$(if $(filter-out $(NO_PACKAGES) $(RUN_GOALS) all,$(GOALS)),test) \
	$(if $(filter coverage test-all,$(GOALS)),coverage) \
	$(if $(filter test test-all fuzz%,$(GOALS)),fuzz) \
	$(if $(filter bench bench-balloon,$(GOALS)),bench) \
	$(if $(findstring clang,$(CC)),clang) \
	$(if $(filter virsh-demo test-all,$(GOALS)),libvirt) \
	$(if $(filter model test-all,$(GOALS)),model)
PACKAGES ?= $(strip $(PACKAGE_SETS))

ifneq ($(filter-out no,$(PACKAGES)),)
PACKAGES_OK := $(shell stamp=$(BUILD)/packages-$$(echo $(PACKAGES) | tr ' ' '-'); mkdir -p $(BUILD); \
	[ "$$stamp" -nt tools/packages.sh ] || \
	{ tools/packages.sh $(PACKAGES) >&2 && touch "$$stamp"; } && echo yes)
ifneq ($(PACKAGES_OK),yes)
$(error what is needed is not installed; see above)
endif
endif

# ---- Flags ----

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wundef -Wpointer-arith -Wvla -Wwrite-strings -Werror

# Interrupts may come at any instruction: no red zone, and no registers that
# trap_common does not save. Frame pointers and plain calls make backtraces.
GUEST_FLAGS := -std=gnu11 -O2 -g -ffreestanding -fno-pic -fno-pie -mno-red-zone \
	-mgeneral-regs-only -fno-stack-protector -fcf-protection=none \
	-fno-asynchronous-unwind-tables -fno-omit-frame-pointer \
	-fno-optimize-sibling-calls

CFLAGS_KERNEL = $(GUEST_FLAGS) $(WARNINGS) -I. $(NEWLIB_CFLAGS)

# Rewritten only when they change; every object depends on it.
ALL_FLAGS = $(CC) $(CFLAGS_KERNEL) $(EFI_CFLAGS) $(HOSTCC) $(CFLAGS_HOST) $(CFLAGS_TEST) $(FUZZ_CC)

$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(ALL_FLAGS)' | cmp -s - $@ || echo '$(ALL_FLAGS)' > $@
FORCE:

# ---- newlib ----
#
# Debian has newlib for x86_64 as source only. Just the files that the kernel
# uses are compiled, in their portable C: the hand-written memcpy() for this
# processor lives on `rep movs`, which is slow under emulation.

NEWLIB := $(BUILD)/newlib/libc.a
NEWLIB_HEADERS := $(BUILD)/newlib/config/newlib.h
NEWLIB_LIBC := $(BUILD)/newlib/src/newlib/libc
NEWLIB_TARBALL = $(lastword $(sort $(wildcard /usr/src/newlib/newlib-*.tar.xz)))

# For the kernel's own files, too. The compiler's headers come last: its stdint.h
# would hide newlib's, without which inttypes.h has no PRIu64.
NEWLIB_CFLAGS = -nostdinc -isystem $(dir $(NEWLIB_HEADERS)) \
	-isystem $(NEWLIB_LIBC)/include -isystem $(shell $(CC) -print-file-name=include)

# reent-small keeps the tables of open files out, and so read(), write() and
# all they want; without fvwrite-in-streamio printf needs fewer files. Do not add
# nano-formatted-io: it prints %zu and %llu wrong, nor nano-malloc: it never gives
# memory back.
NEWLIB_CONFIGURE := --host=x86_64-elf --target=x86_64-elf --disable-multilib \
	--no-recursion --disable-newlib-multithread --enable-newlib-reent-small \
	--enable-newlib-io-c99-formats --enable-newlib-io-long-long \
	--disable-newlib-io-float --disable-newlib-fvwrite-in-streamio

NEWLIB_SOURCES := $(addprefix string/,memchr memcmp memcpy memmove memset \
	strcasecmp strchr strcmp strcpy strcspn strlcpy strlen strncmp strncpy \
	strnlen strrchr strspn strstr strtok_r) \
	$(addprefix ctype/,ctype_ isdigit isprint isspace tolower toupper) \
	$(addprefix stdio/,snprintf vsnprintf vfprintf ssputs_r) \
	$(addprefix stdlib/,calloc malign malloc mallocr mlock realloc \
	strtol strtoul strtoull mbtowc_r wctomb_r) \
	$(addprefix reent/,impure reent sbrkr) \
	search/qsort errno/errno locale/locale locale/localeconv
NEWLIB_OBJECTS := $(NEWLIB_SOURCES:%=$(BUILD)/newlib/%.o)

# Third-party code: no warnings. The stubs are named without an underscore, and
# snprintf() gets the formatter for integers.
NEWLIB_FLAGS = $(GUEST_FLAGS) -w $(NEWLIB_CFLAGS) \
	-D_LIBC -D__SINGLE_THREAD__ -DMISSING_SYSCALL_NAMES -DINTERNAL_NEWLIB \
	-D_svfprintf_r=_svfiprintf_r

# Two files that newlib compiles in several variants: printf into a string, of
# integers; and Doug Lea's malloc with all its parts at once.
$(BUILD)/newlib/stdio/vfprintf.o: NEWLIB_VARIANT := -DSTRING_ONLY= -DINTEGER_ONLY=
$(BUILD)/newlib/stdlib/mallocr.o: NEWLIB_VARIANT := \
	$(patsubst %,-DDEFINE_%=,MALLOC FREE REALLOC CALLOC MEMALIGN)

# Rewritten only when another tarball is installed or is built in another way.
# The tarball's date alone would not tell: an upgrade can be older than the build.
NEWLIB_INPUTS = $(shell stat -c '%n %s %Y' $(NEWLIB_TARBALL)) $(NEWLIB_CONFIGURE) \
	$(CC) $(NEWLIB_FLAGS)

$(BUILD)/newlib/inputs: FORCE
	@mkdir -p $(@D)
	@echo '$(NEWLIB_INPUTS)' | cmp -s - $@ || echo '$(NEWLIB_INPUTS)' > $@

# Older releases have no ssputs_r.c, as vfprintf.c holds its function: an empty
# file is made then. newlib.h comes last, when all the rest is there.
$(NEWLIB_HEADERS): $(BUILD)/newlib/inputs
	$(call say,UNPACK)rm -rf $(BUILD)/newlib/src $(@D)
	@mkdir -p $(BUILD)/newlib/src $(@D)
	@tar -xf $(NEWLIB_TARBALL) --strip-components=1 -C $(BUILD)/newlib/src
	@touch $(NEWLIB_LIBC)/stdio/ssputs_r.c
	@cd $(@D) && $(abspath $(BUILD))/newlib/src/newlib/configure $(NEWLIB_CONFIGURE) \
		CC='$(CC)' > configure.log 2>&1 || { tail configure.log; exit 1; }
	@touch $@

$(NEWLIB_OBJECTS): $(BUILD)/newlib/%.o: $(NEWLIB_HEADERS)
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(NEWLIB_FLAGS) $(NEWLIB_VARIANT) -c -o $@ $(NEWLIB_LIBC)/$*.c

$(NEWLIB): $(NEWLIB_OBJECTS)
	@rm -f $@
	$(call say,AR)$(AR) rcs $@ $^

# ---- The kernel ----

ARCH_SOURCES := $(addprefix arch/x86_64/,start.S vectors.S switch.S context.c \
	boot_pvh.c boot_efi.c cpu.c trap.c backtrace.c irq.c ioapic.c clock.c paging.c)
LIB_SOURCES := $(addprefix kernel/lib/,escape.c log.c parse.c printf.c)
MM_SOURCES := $(addprefix mm/,memmap.c memory.c bitset.c owner.c frame_runs.c frame_map.c frame.c ledger.c \
	heap.c stack.c poison.c frame_dump.c)
PCI_SOURCES := $(addprefix drivers/pci/,pci_config.c pci_scan.c pci_bar.c pci_bridge.c pci_assign.c \
	pci_capability.c pci_intx.c pci_msix.c pci_hotplug.c pci_names.c pci_cmd.c)
VIRTIO_SOURCES := $(addprefix drivers/virtio/,virtio.c virtio_features.c \
	virtq.c virtq_split.c virtq_packed.c virtio_pci.c virtio_pci_modern.c \
	virtio_pci_legacy.c virtio_mmio.c virtio_cmd.c)
BALLOON_SOURCES := $(addprefix drivers/balloon/,balloon.c balloon_pages.c balloon_stats.c \
	balloon_report.c balloon_hint.c balloon_account.c)
DRIVER_SOURCES := $(PCI_SOURCES) $(VIRTIO_SOURCES) drivers/acpi/acpi.c drivers/acpi/acpi_aml.c \
	drivers/acpi/acpi_power.c drivers/acpi/acpi_device.c \
	drivers/serial/uart16550.c $(BALLOON_SOURCES) drivers/balloon/balloon_cmd.c
KERNEL_SOURCES := $(addprefix kernel/,main.c console.c line_edit.c command_line.c \
	shell.c shell_cmd.c panic.c show_mem.c mem_figures.c dump.c hold.c hold_cmd.c system.c \
	pci_windows.c virtio_mmio_find.c libc.c crash_cmd.c heap_cmd.c)

GUEST_SOURCES := $(ARCH_SOURCES) $(LIB_SOURCES) $(MM_SOURCES) kernel/task/task.c $(DRIVER_SOURCES) \
	$(KERNEL_SOURCES)
GUEST_OBJECTS := $(addprefix $(BUILD)/guest/,$(addsuffix .o,$(basename $(GUEST_SOURCES))))

$(BUILD)/guest/%.o: %.c $(BUILD)/flags $(NEWLIB_HEADERS)
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(CFLAGS_KERNEL) -MMD -MP -c -o $@ $<

$(BUILD)/guest/%.o: %.S $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,AS)$(CC) -I. -MMD -MP -c -o $@ $<

# Linked twice: first with an empty symbol table, to learn the addresses that
# the second link's table holds. The table moves none of them (see linker.ld).
LINK = $(LD) -nostdlib -static --build-id=none -z noexecstack -z max-page-size=4096 \
	-T linker.ld -o $@ $(filter %.o %.a,$^)

$(BUILD)/symbols0.S: arch/x86_64/symbols.awk
	$(call say,GEN)awk -f $< /dev/null > $@

$(BUILD)/symbols1.S: arch/x86_64/symbols.awk $(BUILD)/aerostat0.elf
	$(call say,GEN)nm -n $(BUILD)/aerostat0.elf | awk -f $< > $@

$(BUILD)/symbols%.o: $(BUILD)/symbols%.S
	$(call say,AS)$(CC) -c -o $@ $<

$(BUILD)/aerostat0.elf: $(GUEST_OBJECTS) $(BUILD)/symbols0.o $(NEWLIB) linker.ld
	$(call say,LD)$(LINK)

$(BUILD)/aerostat.elf: $(GUEST_OBJECTS) $(BUILD)/symbols1.o $(NEWLIB) linker.ld
	$(call say,LD)$(LINK)

# ---- the UEFI image: a gnu-efi loader that carries the kernel ----
#
# Position-independent, as a PE image must be; gnu-efi's linker script takes
# *(.bss) and *(.data*) only, so no -fdata-sections and no -flto here. Never
# reuse the kernel's CFLAGS (-mcmodel, -fno-pic, newlib's headers).

EFI_DIR := arch/x86_64/efi
EFI_CRT0 := $(firstword $(wildcard /usr/lib/crt0-efi-x86_64.o \
	/usr/lib/x86_64-linux-gnu/gnuefi/crt0-efi-x86_64.o))
EFI_LIB := $(patsubst %/,%,$(dir $(EFI_CRT0)))

EFI_CFLAGS := -std=gnu11 -O2 -g -ffreestanding -fpic -fshort-wchar \
	-mno-red-zone -mgeneral-regs-only -fno-stack-protector \
	-fcf-protection=none -fno-asynchronous-unwind-tables \
	$(WARNINGS) \
	-DGNU_EFI_USE_MS_ABI -I. -isystem /usr/include/efi \
	-isystem /usr/include/efi/x86_64
# gcc's ms_abi needs it (see its manual), clang has no such flag.
ifeq ($(shell $(CC) -maccumulate-outgoing-args -E -x c /dev/null \
	>/dev/null 2>&1 && echo yes),yes)
EFI_CFLAGS += -maccumulate-outgoing-args
endif
# GNU ld: the script is for it.
EFI_LD ?= ld
EFI_LDFLAGS := -nostdlib -shared -Bsymbolic -znocombreloc -z defs \
	-z noexecstack --no-warn-rwx-segments --build-id=none \
	-T $(EFI_LIB)/elf_x86_64_efi.lds

EFI_OBJECTS := $(addprefix $(BUILD)/$(EFI_DIR)/,loader.o handover.o payload.o)

$(BUILD)/$(EFI_DIR)/%.o: $(EFI_DIR)/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(EFI_CFLAGS) -MMD -MP -c -o $@ $<

# What the loader does not read is not carried: it would be read from the disk.
$(BUILD)/$(EFI_DIR)/kernel.elf: $(BUILD)/aerostat.elf
	@mkdir -p $(@D)
	$(call say,STRIP)objcopy --strip-all $< $@

$(BUILD)/$(EFI_DIR)/payload.o: $(EFI_DIR)/payload.S $(BUILD)/$(EFI_DIR)/kernel.elf \
		$(BUILD)/flags
	$(call say,AS)$(CC) -DKERNEL_ELF='"$(BUILD)/$(EFI_DIR)/kernel.elf"' -c -o $@ $<

$(BUILD)/$(EFI_DIR)/loader.so: $(EFI_OBJECTS)
	$(call say,LD)$(EFI_LD) $(EFI_LDFLAGS) $(EFI_CRT0) $(EFI_OBJECTS) -o $@ \
		-L$(EFI_LIB) -lgnuefi

# The names with patterns are those of later gnu-efi linker scripts.
$(BUILD)/aerostat.efi: $(BUILD)/$(EFI_DIR)/loader.so
	$(call say,OBJCOPY)objcopy -j .text -j .sdata -j .data -j .rodata -j .dynamic -j .dynsym \
		-j .rel -j .rela -j '.rel.*' -j '.rela.*' -j .reloc \
		--target efi-app-x86_64 $< $@

# An EFI system partition without a partition table; firmware starts
# EFI/BOOT/BOOTX64.EFI of it. A command line can be put in later:
#   mcopy -i build/esp.img cmdline.txt ::/EFI/BOOT/
$(BUILD)/esp.img: $(BUILD)/aerostat.efi
	$(call say,IMAGE)rm -f $@.tmp
	@mformat -C -i $@.tmp -T 16384 -v AEROSTAT -N 0 ::
	@mmd -i $@.tmp ::/EFI ::/EFI/BOOT
	@mcopy -i $@.tmp $< ::/EFI/BOOT/BOOTX64.EFI
	@mv $@.tmp $@


# ---- Host tools ----

CFLAGS_HOST := -std=gnu11 -D_GNU_SOURCE -O2 -g -I. $(WARNINGS)

TOOL_OBJECTS := $(addprefix $(BUILD)/host/tools/,qmp.o vm.o show_mem.o)

$(BUILD)/host/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC)$(HOSTCC) $(CFLAGS_HOST) -MMD -MP -c -o $@ $<

$(BUILD)/tools/demo: $(BUILD)/host/tools/demo.o $(TOOL_OBJECTS)
	@mkdir -p $(@D)
	$(call say,LD)$(HOSTCC) -o $@ $^ -ljson-c

# balloonctl: a file a command, besides what they share (see balloonctl.h).
# The readers of a dump are for tests, too.
DUMP_SOURCES := tools/core.c tools/frame_dump.c tools/frame_dump_audit.c kernel/mem_figures.c \
	mm/frame_runs.c
BALLOONCTL_SOURCES := $(addprefix tools/balloonctl/,complain.c size.c report.c \
	guest.c guest_find.c guest_features.c guest_cost.c guest_qmp.c guest_qmp_target.c \
	progress.c wait.c status.c set.c stats.c periodic.c poller.c guest_set.c history.c grid.c \
	watch_draw.c watch.c course.c record.c plot.c replace_file.c metrics.c listen.c export.c dump.c) \
	tools/svg_plot.c tools/qmp.c kernel/lib/escape.c $(DUMP_SOURCES)
BALLOONCTL_LIBS := -ljson-c -lelf -lncursesw -lmicrohttpd -lm -pthread

# libvirt's backend is built where its headers are.
ifneq ($(wildcard /usr/include/libvirt/libvirt.h),)
BALLOONCTL_SOURCES += tools/balloonctl/guest_libvirt.c
BALLOONCTL_LIBS += -lvirt
CFLAGS_HOST += -DHAVE_LIBVIRT
endif

$(BUILD)/tools/balloonctl: $(BUILD)/host/tools/balloonctl/main.o \
		$(BALLOONCTL_SOURCES:%.c=$(BUILD)/host/%.o)
	@mkdir -p $(@D)
	$(call say,LD)$(HOSTCC) -o $@ $^ $(BALLOONCTL_LIBS)

PREFIX ?= /usr/local

.PHONY: install
install: $(BUILD)/tools/balloonctl
	install -D -m 755 $< '$(DESTDIR)$(PREFIX)/bin/balloonctl'
	install -D -m 644 tools/balloonctl.1 '$(DESTDIR)$(PREFIX)/share/man/man1/balloonctl.1'
	install -D -m 644 tools/balloonctl/completion.bash \
		'$(DESTDIR)$(PREFIX)/share/bash-completion/completions/balloonctl'

# ---- Running ----

export MEM MACHINE QEMU ACCEL APPEND FIRMWARE BALLOON EXTRA NAME BUILD

KERNEL_IMAGES := $(BUILD)/aerostat.elf $(BUILD)/aerostat.efi $(BUILD)/esp.img

.PHONY: all run run-uefi demo tools virsh-demo
all: $(KERNEL_IMAGES)
tools: $(BUILD)/tools/demo $(BUILD)/tools/balloonctl

# Without a terminal there is nobody to leave at a console: the demo then, unless
# the command line says what to do.
run: $(BUILD)/aerostat.elf $(BUILD)/tools/demo
	@if [ -t 0 ] || [ -n "$$APPEND" ]; then tools/run.sh; else tools/run.sh --demo; fi

run-uefi: FIRMWARE := uefi
run-uefi: $(KERNEL_IMAGES) $(BUILD)/tools/demo
	@if [ -t 0 ] || [ -n "$$APPEND" ]; then tools/run.sh; else tools/run.sh --demo; fi

demo: $(KERNEL_IMAGES) $(BUILD)/tools/demo
	@tools/run.sh --demo

# As an unprivileged user under libvirt, from define to destroy.
virsh-demo: $(BUILD)/aerostat.elf $(BUILD)/tools/balloonctl
	@tools/libvirt/demo.sh

# ---- Unit tests: one program per source file, on the host, with sanitizers ----

# `make coverage` has its own.
INSTRUMENTS ?= -O1 -fsanitize=address,undefined -fno-sanitize-recover=all

CFLAGS_TEST := -std=gnu11 -D_GNU_SOURCE -g -fno-omit-frame-pointer $(INSTRUMENTS) \
	$(WARNINGS) -Wconversion

$(BUILD)/unit/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC)$(HOSTCC) $(CFLAGS_TEST) $(FAKES) -Itests/fake -I. -MMD -MP -c -o $@ $<

# $(call unit_test,NAME,SOURCES): tests/unit/NAME_test.c with the sources it is about.
define unit_test
UNIT_TESTS += $(BUILD)/tests/$(1)
$(BUILD)/tests/$(1): $(patsubst %.c,$(BUILD)/unit/%.o,tests/unit/$(1)_test.c $(2))
	@mkdir -p $$(@D)
	$$(call say,LD)$(HOSTCC) $(CFLAGS_TEST) -o $$@ $$^ -lcmocka $(3)
endef
unit = $(eval $(call unit_test,$(1),$(2),$(3)))

SIM := $(addprefix tests/sim/,sim_virtio.c sim_virtq.c sim_time.c sim_log.c)
FRAME := mm/frame.c mm/frame_map.c mm/frame_runs.c mm/ledger.c mm/bitset.c mm/owner.c
VIRTQ := $(addprefix drivers/virtio/,virtio.c virtio_features.c virtq.c virtq_split.c \
	virtq_packed.c)

$(call unit,kernel/lib/parse,kernel/lib/parse.c)
$(call unit,kernel/lib/log,kernel/lib/log.c kernel/lib/escape.c)
$(call unit,kernel/command_line,kernel/command_line.c)
$(call unit,kernel/line_edit,kernel/line_edit.c)
$(call unit,kernel/console,kernel/console.c)
$(call unit,kernel/shell,kernel/shell.c kernel/command_line.c kernel/line_edit.c)
$(call unit,drivers/serial/uart16550,drivers/serial/uart16550.c)
BALLOON_FIXTURE := $(BALLOON_SOURCES) $(VIRTQ) $(SIM) tests/sim/sim_balloon.c \
	tests/sim/sim_ram.c mm/poison.c $(FRAME) tests/unit/drivers/balloon/balloon_fixture.c

$(call unit,drivers/balloon/balloon,$(BALLOON_FIXTURE))
$(call unit,drivers/balloon/balloon_rules,$(BALLOON_FIXTURE))
$(call unit,arch/x86_64/efi/handover,arch/x86_64/efi/handover.c)

FRAME_FIXTURE := $(FRAME) mm/memmap.c tests/unit/mm/frame_fixture.c

$(call unit,mm/bitset,mm/bitset.c)
$(call unit,mm/memmap,mm/memmap.c)
$(call unit,mm/memory,mm/memory.c mm/memmap.c tests/sim/sim_ram.c $(FRAME))
$(call unit,mm/ledger,$(FRAME_FIXTURE))
$(call unit,mm/frame,$(FRAME_FIXTURE))
$(call unit,mm/frame_bulk,$(FRAME_FIXTURE))
$(call unit,mm/frame_blocks,$(FRAME_FIXTURE))
$(call unit,mm/frame_huge,$(FRAME_FIXTURE))
$(call unit,mm/frame_random,$(FRAME_FIXTURE))
$(call unit,bench/buddy,tests/bench/buddy.c)

# SIM_FRAMES: frame_alloc() and frame_free() for tests without mm/frame.c.
SIM_FRAMES := $(SIM) tests/sim/sim_frame.c

VIRTQ_FIXTURE := $(VIRTQ) $(SIM_FRAMES) tests/unit/drivers/virtio/virtq_fixture.c

$(call unit,drivers/virtio/virtq,$(VIRTQ_FIXTURE))
$(call unit,drivers/virtio/virtq_split,$(VIRTQ_FIXTURE))
$(call unit,drivers/virtio/virtq_packed,$(VIRTQ_FIXTURE))
$(call unit,drivers/virtio/virtq_order,$(VIRTQ_FIXTURE))
$(call unit,drivers/virtio/virtio,$(VIRTQ) $(SIM_FRAMES))
$(call unit,drivers/virtio/virtio_pci,drivers/virtio/virtio_pci.c \
	drivers/virtio/virtio_pci_modern.c drivers/virtio/virtio_pci_legacy.c drivers/pci/pci_msix.c \
	tests/sim/sim_virtio_pci.c tests/sim/sim_irq.c $(VIRTQ) $(SIM_FRAMES))
$(call unit,drivers/virtio/virtio_mmio,drivers/virtio/virtio_mmio.c kernel/lib/parse.c \
	$(VIRTQ) $(SIM_FRAMES))
$(call unit,drivers/virtio/virtio_cmd,drivers/virtio/virtio_cmd.c $(VIRTQ) $(SIM_FRAMES))
$(call unit,sim/sim_balloon,tests/sim/sim_balloon.c $(VIRTQ) $(SIM_FRAMES))

PCI_TESTED := $(addprefix drivers/pci/,pci_config.c pci_scan.c pci_bar.c pci_bridge.c \
	pci_assign.c pci_capability.c) tests/sim/sim_pci.c tests/sim/sim_log.c
ACPI_TESTED := $(addprefix drivers/acpi/,acpi.c acpi_aml.c acpi_power.c acpi_device.c) \
	tests/sim/sim_acpi.c tests/sim/sim_log.c

$(call unit,drivers/pci/pci_config,$(PCI_TESTED))
$(call unit,drivers/pci/pci_scan,$(PCI_TESTED))
$(call unit,drivers/pci/pci_bar,$(PCI_TESTED))
$(call unit,drivers/pci/pci_bridge,$(PCI_TESTED))
$(call unit,drivers/pci/pci_assign,$(PCI_TESTED))
$(call unit,drivers/pci/pci_capability,$(PCI_TESTED))
$(call unit,drivers/pci/pci_msix,drivers/pci/pci_msix.c $(PCI_TESTED))
$(call unit,drivers/pci/pci_hotplug,drivers/pci/pci_hotplug.c tests/sim/sim_time.c $(PCI_TESTED))
$(call unit,drivers/pci/pci_cmd,drivers/pci/pci_cmd.c drivers/pci/pci_names.c $(PCI_TESTED))
$(call unit,drivers/acpi/acpi,$(ACPI_TESTED))
$(call unit,drivers/acpi/acpi_power,$(ACPI_TESTED))
$(call unit,drivers/acpi/acpi_device,$(ACPI_TESTED))

# What is mapped where is the simulation's there.
$(BUILD)/unit/drivers/pci/%.o $(BUILD)/unit/drivers/acpi/%.o \
	$(BUILD)/unit/tests/unit/drivers/pci/%.o $(BUILD)/unit/tests/unit/drivers/acpi/%.o \
	$(BUILD)/unit/tests/sim/sim_pci.o $(BUILD)/unit/tests/sim/sim_acpi.o: \
	FAKES := -Itests/fake/pci

$(eval $(call unit_test,tools/qmp,tools/qmp.c,-ljson-c))
$(call unit,tools/show_mem,tools/show_mem.c)
$(call unit,tools/svg_plot,tools/svg_plot.c,-lm)
$(call unit,docs/lines,tests/docs/lines.c)
$(call unit,bench/samples,tests/bench/samples.c,-lm)
$(call unit,bench/trace,tests/bench/trace.c)

# Without mm/frame_runs.c, which FRAME has.
$(eval $(call unit_test,tools/frame_dump,$(filter-out mm/%,$(DUMP_SOURCES)) $(FRAME_FIXTURE) \
	mm/frame_dump.c kernel/dump.c tests/unit/tools/core_file.c,-lelf))
$(eval $(call unit_test,tools/core,tools/core.c tests/unit/tools/core_file.c,-lelf))

BALLOONCTL_TESTED := $(BALLOONCTL_SOURCES) tests/unit/tools/balloonctl/fake_qemu.c
balloonctl_unit = $(eval $(call unit_test,tools/balloonctl/$(1),$(BALLOONCTL_TESTED),$(BALLOONCTL_LIBS)))

$(call balloonctl_unit,size)
$(call balloonctl_unit,guest_find)
$(call balloonctl_unit,guest_qmp)
$(call balloonctl_unit,set)
$(call balloonctl_unit,progress)
$(call balloonctl_unit,status)
$(call balloonctl_unit,watch_draw)
$(call balloonctl_unit,poller)
$(call balloonctl_unit,record)
$(call balloonctl_unit,export)

# A whole machine: the balloon and all that is between it and a simulated bus.
SIM_MACHINE := $(BALLOON_SOURCES) $(addprefix drivers/virtio/,virtio_pci.c virtio_pci_modern.c \
	virtio_pci_legacy.c) drivers/pci/pci_msix.c $(VIRTQ) $(PCI_TESTED) $(SIM) \
	$(addprefix tests/sim/,sim_balloon.c sim_virtio_pci.c sim_irq.c sim_ram.c) $(FRAME)

# Devices that lie: one program for all of them.
LIES := $(patsubst %.c,$(BUILD)/unit/%.o,$(sort $(wildcard tests/lies/*.c) $(SIM_MACHINE)))

# Allocations that fail stand in front of the allocator's.
WRAPPED := $(addprefix -Xlinker --wrap=,frame_alloc frame_alloc_bulk frame_alloc_block \
	frame_alloc_blocks frame_alloc_unreported)

UNIT_TESTS += $(BUILD)/tests/lies
$(BUILD)/tests/lies: $(LIES)
	@mkdir -p $(@D)
	$(call say,LD)$(HOSTCC) $(CFLAGS_TEST) -o $@ $^ $(WRAPPED) -lcmocka

.PHONY: test test-unit test-integration test-slow test-libvirt test-all matrix matrix-all
test: all test-unit test-integration test-docs check-layers check-conformance matrix test-libvirt fuzz-short

# Each program prints what it ran; the first that fails ends it.
test-unit: $(UNIT_TESTS)
	@set -e; for t in $^; do echo "== $$t"; $$t; done

# ---- Porting: the drivers in a kernel that is not this one ----
#
# What docs/porting.md promises: nothing of tests/sim or tests/fake. Its headers of
# instructions stand in front of those in arch/.

PORTED_SOURCES := mm/memmap.c $(FRAME) $(VIRTQ) drivers/virtio/virtio_mmio.c $(BALLOON_SOURCES) \
	$(wildcard $(addprefix kernel/lib/,parse.c events.c hooks.c))
PORTING := $(patsubst %.c,$(BUILD)/porting/%.o,$(wildcard tests/porting/*.c) $(PORTED_SOURCES))

$(BUILD)/porting/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC)$(HOSTCC) $(CFLAGS_TEST) -Itests/porting -I. -MMD -MP -c -o $@ $<

UNIT_TESTS += $(BUILD)/tests/porting
$(BUILD)/tests/porting: $(PORTING)
	@mkdir -p $(@D)
	$(call say,LD)$(HOSTCC) $(CFLAGS_TEST) -o $@ $^ -pthread

# ---- Coverage: which branches of the allocator and the drivers the unit tests take ----

COVERED := mm drivers/pci drivers/virtio drivers/balloon
COVERING = $(filter $(BUILD)/tests/mm/% $(BUILD)/tests/drivers/% $(BUILD)/tests/lies,$(UNIT_TESTS))

.PHONY: coverage run-covering
run-covering: $(COVERING)
	@set -e; for t in $^; do \
		$$t >$(BUILD)/covering.log 2>&1 || { cat $(BUILD)/covering.log; exit 1; }; done

# Less than 90 % of the branches of any of them is a failure; docs/coverage.md has the gaps.
coverage:
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/coverage PACKAGES=no \
		INSTRUMENTS='-O0 --coverage' run-covering
	@set -e; for d in $(COVERED); do \
		gcovr -r . $(BUILD)/coverage --filter "$$d/" -b --fail-under-branch 90; done

# ---- Fuzzing: libFuzzer, so clang, with the sanitizers of the unit tests ----
#
# Seeds lie in tests/fuzz/seeds/NAME; what a run finds interesting is kept in
# $(BUILD)/fuzz/NAME.corpus for the next one, and what makes it fail beside it.

FUZZ_CC := clang
CFLAGS_FUZZ := $(CFLAGS_TEST) -fsanitize=fuzzer-no-link

$(BUILD)/fuzz/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC)$(FUZZ_CC) $(CFLAGS_FUZZ) $(FAKES) -Itests/fake -I. -MMD -MP -c -o $@ $<

# $(call fuzz,NAME,SOURCES,LIBRARIES): tests/fuzz/NAME_fuzz.c with the sources it is about.
define fuzz_test
FUZZERS += $(1)
$(BUILD)/fuzz/$(1): $(patsubst %.c,$(BUILD)/fuzz/%.o,tests/fuzz/$(1)_fuzz.c $(2))
	$$(call say,LD)$(FUZZ_CC) $(CFLAGS_FUZZ) -fsanitize=fuzzer -o $$@ $$^ $(3)
endef
fuzz = $(eval $(call fuzz_test,$(1),$(2),$(3)))

$(call fuzz,core,$(DUMP_SOURCES),-lelf)
$(call fuzz,qmp,tools/qmp.c,-ljson-c)
$(call fuzz,boot,mm/memory.c mm/memmap.c arch/x86_64/efi/handover.c $(FRAME))
$(call fuzz,acpi,$(ACPI_TESTED))
$(call fuzz,pci,$(PCI_TESTED) drivers/pci/pci_msix.c $(addprefix drivers/virtio/,virtio_pci.c \
	virtio_pci_modern.c virtio_pci_legacy.c) tests/sim/sim_irq.c $(VIRTQ) $(SIM_FRAMES))
$(call fuzz,split_ring,tests/fuzz/ring.c $(VIRTQ) $(SIM_FRAMES))
$(call fuzz,packed_ring,tests/fuzz/ring.c $(VIRTQ) $(SIM_FRAMES))
$(call fuzz,balloon,$(sort $(filter-out tests/lies/main.c,$(wildcard tests/lies/*.c)) $(SIM_MACHINE)),$(WRAPPED) -lcmocka)
$(call fuzz,line,kernel/line_edit.c kernel/shell.c kernel/command_line.c)
$(call fuzz,command_line,kernel/command_line.c kernel/lib/parse.c drivers/virtio/virtio_mmio.c \
	tests/fuzz/no_machine.c $(VIRTQ) $(SIM_FRAMES))

# As in unit tests.
$(BUILD)/fuzz/drivers/pci/%.o $(BUILD)/fuzz/drivers/acpi/%.o \
	$(BUILD)/fuzz/tests/sim/sim_pci.o $(BUILD)/fuzz/tests/sim/sim_acpi.o: \
	FAKES := -Itests/fake/pci

# make fuzz TIME=600 FUZZ=core: seconds for each, and which of them; two at a time.
TIME ?= 60
FUZZ ?= $(FUZZERS)
FUZZ_FINDS := keep

.PHONY: fuzz fuzz-short
fuzz: $(addprefix $(BUILD)/fuzz/,$(FUZZ))
	@printf '%s\n' $(FUZZ) | xargs -n 1 -P 2 tests/fuzz/run.sh $(BUILD)/fuzz $(TIME) $(FUZZ_FINDS)

# From the seeds alone: to read all that was ever found takes longer.
fuzz-short: TIME := 3
fuzz-short: FUZZ_FINDS := forget
fuzz-short: fuzz

# ---- Mutants: small faults, each of which a unit test must notice ----

# make mutants FAULTS='*packed*' tries those whose name matches.
# It takes both cores, as the matrix does.
.PHONY: mutants
mutants: | $(if $(filter test-all,$(GOALS)),matrix-all test-slow)
	@HOSTCC='$(HOSTCC)' tests/mutants/run.sh $(BUILD)/mutants $(if $(FAULTS),'$(FAULTS)')

# ---- Integration tests: the real image under QEMU ----

INTEGRATION_OBJECTS := $(patsubst %.c,$(BUILD)/host/%.o,$(wildcard tests/integration/*.c))

$(BUILD)/tests/integration/run: $(INTEGRATION_OBJECTS) $(TOOL_OBJECTS) \
		$(BUILD)/host/tools/balloonctl/course.o
	@mkdir -p $(@D)
	$(call say,LD)$(HOSTCC) -o $@ $^ -ljson-c -lcmocka

# make test-integration TESTS='*floor*' runs those whose name matches.
test-integration: $(KERNEL_IMAGES) $(BUILD)/tests/integration/run $(BUILD)/tools/balloonctl
	@$(BUILD)/tests/integration/run $(TESTS)

# ---- The documents: samples against the real thing, links ----

DOCS_OBJECTS := $(patsubst %.c,$(BUILD)/host/%.o,$(wildcard tests/docs/*.c))

$(BUILD)/tests/docs/run: $(DOCS_OBJECTS) $(TOOL_OBJECTS)
	@mkdir -p $(@D)
	$(call say,LD)$(HOSTCC) -o $@ $^ -ljson-c

DOCS_NEED := $(BUILD)/aerostat.elf $(BUILD)/tests/docs/run $(BUILD)/tools/balloonctl $(BUILD)/tests/porting

# make test-docs PAGES=docs/console.md: some pages only.
.PHONY: test-docs docs-samples
test-docs: $(DOCS_NEED)
	@tests/docs/check_pages.sh
	@$(BUILD)/tests/docs/run $(PAGES)

# Rewrites the samples from what is really printed; look at the difference.
docs-samples: $(DOCS_NEED)
	@$(BUILD)/tests/docs/run --update $(PAGES)

# ---- The matrix: machines, devices, rings and features, under QEMU ----

MATRIX_OBJECTS := $(patsubst %.c,$(BUILD)/host/%.o,$(wildcard tests/matrix/*.c))

$(BUILD)/tests/matrix/run: $(MATRIX_OBJECTS) $(TOOL_OBJECTS)
	@mkdir -p $(@D)
	$(call say,LD)$(HOSTCC) -o $@ $^ -ljson-c

# Two guests at a time need both cores: never beside the tests that measure time.
matrix matrix-all: $(BUILD)/aerostat.elf $(BUILD)/tests/matrix/run \
		| $(if $(filter test,$(GOALS)),test-integration)

# make matrix-all CELLS='*packed*' runs those whose name matches.
matrix:
	@$(BUILD)/tests/matrix/run $(if $(CELLS),'$(CELLS)')

matrix-all:
	@$(BUILD)/tests/matrix/run --all $(if $(CELLS),'$(CELLS)')

# ---- What takes too long for each time ----

# The tests that do more if there is time: each hot-plug 20 times, all of the floods.
test-slow: $(KERNEL_IMAGES) $(BUILD)/tests/integration/run
	@SLOW=1 $(BUILD)/tests/integration/run --slow

# libvirt is not installed for `make test`, but used where it is; test-all installs it.
test-libvirt: $(BUILD)/aerostat.elf $(BUILD)/tools/balloonctl
	@if command -v virsh >/dev/null; then tools/libvirt/demo.sh; \
	else echo "test-libvirt: not run, as libvirt is not installed"; fi

# The protocol's model, all of its states, and the faults planted in it.
.PHONY: model
model:
	@tests/model/check.sh $(BUILD)/model

test-all: matrix-all test-slow test-libvirt coverage mutants fuzz model

# ---- Benchmarks: ratios against a peer that is measured in the same run ----

$(BUILD)/bench/%.o: tests/bench/%.S $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,AS)$(CC) -c -o $@ $<

$(BUILD)/bench/one_byte.elf: $(BUILD)/bench/one_byte.o
	$(call say,LD)$(LD) -nostdlib -static --build-id=none -z noexecstack -Ttext=0x100000 \
		-e _start -o $@ $<

$(BUILD)/bench/boot: $(addprefix $(BUILD)/host/tests/bench/,boot.o samples.o circumstances.o) \
		$(BUILD)/host/tools/svg_plot.o
	@mkdir -p $(@D)
	$(call say,LD)$(HOSTCC) -o $@ $^ -ljson-c -lm

BENCH_BALLOON_OBJECTS := $(addprefix $(BUILD)/host/tests/bench/,balloon.o balloon_measure.o \
	balloon_report.o subject.o lone_device.o qtest.o trace.o host.o samples.o circumstances.o)

$(BUILD)/bench/balloon: $(BENCH_BALLOON_OBJECTS) $(addprefix $(BUILD)/host/tools/,qmp.o vm.o)
	@mkdir -p $(@D)
	$(call say,LD)$(HOSTCC) -o $@ $^ -ljson-c -lm -pthread

# The peer: fetched as Debian's packages and unpacked there, never installed.
$(BUILD)/bench/linux/initrd: tests/bench/linux_guest.sh
	$(call say,FETCH)$< $(@D)

# Further arguments for the programs, as -n ROUNDS, in BENCH.
.PHONY: bench bench-boot bench-balloon bench-alloc
bench: bench-boot bench-balloon bench-alloc

bench-boot: $(BUILD)/bench/boot $(BUILD)/bench/one_byte.elf $(BUILD)/aerostat.elf
	@$(BUILD)/bench/boot -M 128M,1G,8G,64G,1T -o $(BUILD)/boot.svg $(BENCH) \
		$(BUILD)/aerostat.elf $(BUILD)/bench/one_byte.elf

bench-balloon: $(BUILD)/bench/balloon $(BUILD)/bench/one_byte.elf $(BUILD)/aerostat.elf \
		$(BUILD)/bench/linux/initrd
	@$(BUILD)/bench/balloon $(BENCH) $(BUILD)/aerostat.elf $(BUILD)/bench/one_byte.elf \
		$(BUILD)/bench/linux

# The allocator on the host, as the unit tests have it, but without sanitizers.
BENCH_ALLOC_OBJECTS := $(patsubst %.c,$(BUILD)/bench-alloc/%.o,$(FRAME) \
	$(addprefix tests/bench/,alloc.c alloc_work.c contender.c buddy.c))

$(BUILD)/bench-alloc/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC)$(HOSTCC) -Itests/fake $(CFLAGS_HOST) -MMD -MP -c -o $@ $<

$(BUILD)/bench/alloc: $(BENCH_ALLOC_OBJECTS)
	@mkdir -p $(@D)
	$(call say,LD)$(HOSTCC) -o $@ $^

bench-alloc: $(BUILD)/bench/alloc
	@$(BUILD)/bench/alloc $(BENCH)

# ---- Chores ----

.PHONY: help clean fmt check-layers check-conformance FORCE

check-layers:
	@tools/check_layers.sh

check-conformance:
	@tools/check_conformance.sh

fmt:
	clang-format -i $$(git ls-files -co --exclude-standard '*.c' '*.h')

clean:
	rm -rf $(BUILD)

help:
	@sed -n 's/^#: //p' Makefile

#: make                  the kernel (build/aerostat.elf) and the UEFI image (build/aerostat.efi, build/esp.img)
#: make run              boot it; at a terminal you are left at its console
#: make run-uefi         the same by UEFI firmware (OVMF)
#: make demo             boot it, take a quarter of its memory over QMP, give it back, show each step
#:
#:   MEM=1G              memory, 16M to 16T          MACHINE=q35       or pc, microvm
#:   FIRMWARE=default    or qboot, uefi              ACCEL=tcg         or kvm; the default is kvm where it works
#:   QEMU=PROGRAM        qemu-system-x86_64          APPEND='run="show_mem; exit 0"'   the kernel's command line
#:   BALLOON=deflate-on-oom=on   properties of the balloon device; none: no device
#:   EXTRA='...'         further arguments for QEMU
#:
#: make virsh-demo       the same under libvirt, as an unprivileged user, with save and restore
#: make tools            build/tools/balloonctl, which drives and shows balloons from the host
#: make install          balloonctl, its manual page and completion; PREFIX=/usr/local DESTDIR=
#:
#: make test             all tests: on the host, and of the real image under QEMU; make matrix, too
#: make test-unit        those on the host (ASan, UBSan)
#: make test-integration those under QEMU; TESTS='*floor*' for some of them
#: make test-docs        whether the samples in README.md and docs/ are real, and the links lead somewhere;
#:                       PAGES=docs/console.md for some of them
#: make docs-samples     rewrites those samples from what is really printed
#: make matrix           the cells that matter most of machine x device x interrupts x ring x features
#: make model            the balloon's protocol, modelled, in all of its states; and planted faults
#: make test-all         what takes longer: all cells, floods, libvirt, mutants, the model, a minute of each fuzzer
#: make matrix-all       every cell; CELLS='*packed*' for some of them; both write build/matrix.md
#: make fuzz             what takes input, fed with noise; TIME=60 seconds each, FUZZ='acpi pci' for some
#: make coverage         which branches the unit tests take; less than 90 % is a failure
#: make mutants          whether the unit tests notice each of the faults in tests/mutants/list;
#:                       FAULTS='*packed*' for some of them; part of test-all
#: make check-layers     whether includes point one way
#: make check-conformance  whether docs/conformance.md names only what exists
#: make bench-boot       time to the prompt by memory, beside a kernel that prints one byte; draws build/boot.svg
#: make bench-balloon    each strategy beside the device alone and a Linux guest, and the goals;
#:                       BENCH='-n 3 --json' for three rounds of it, as JSON
#: make bench-alloc      the frame allocator beside a textbook buddy, on the host; BENCH=--json, BENCH=--help
#: make bench            all of these
#: make fmt              clang-format
#: make clean            remove build/
#:
#: V=1 shows the commands; CC=clang builds the guest with clang. What is not
#: installed is installed first, with apt-get; PACKAGES=no leaves that out.
#: make's own status only tells success from failure: for the guest's status
#: (`exit N`), run tools/run.sh with the same variables in the environment.

-include $(shell find $(BUILD) -path $(BUILD)/mutants -prune -o -name '*.d' -print 2>/dev/null)
