# SPDX-License-Identifier: BSD-2-Clause
#
# Aerostat. `make help` lists the targets. From top to bottom: settings, what
# must be installed, the kernel, running, chores; newlib, the UEFI image, host
# tools, releases, tests and benchmarks are in files of their own, which are
# included where they are needed. All output lies under $(BUILD).

# The one place of the version: of the guest, of the programs for the host, of a release.
VERSION := 0.9.0

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

# make takes these for its own, or the shell does. Where the tree lies is no
# matter, as all paths are relative to it.
unfit := $(strip $(foreach c,: ; % & | < > ( ) * ? [ ] \ ' " ` ~,$(findstring $(c),$(BUILD))))
ifneq ($(words $(BUILD))$(unfit),1)
$(error BUILD='$(BUILD)' cannot be used: give a path without blanks and special characters)
endif

# ---- Packages ----
#
# $(call needs,SETS): what must be installed first, as order-only prerequisites.
# tools/packages.sh has the sets. PACKAGES=no trusts that all is there. One at a
# time: apt-get does not wait for another.

needs = $(if $(filter no,$(PACKAGES)),,$(1:%=$(BUILD)/packages/%))

$(BUILD)/packages/%: tools/packages.sh
	@mkdir -p $(@D)
	@flock $(@D)/lock tools/packages.sh $*
	@touch $@

# ---- Flags ----

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wundef -Wpointer-arith -Wvla -Wwrite-strings -Werror

VERSION_FLAGS := -DAEROSTAT_VERSION=\"$(VERSION)\"

# Interrupts may come at any instruction: no red zone, and no registers that
# trap_common does not save. Frame pointers and plain calls make backtraces.
GUEST_FLAGS := -std=gnu11 -O2 -g -ffreestanding -fno-pic -fno-pie -mno-red-zone \
	-mgeneral-regs-only -fno-stack-protector -fcf-protection=none \
	-fno-asynchronous-unwind-tables -fno-omit-frame-pointer \
	-fno-optimize-sibling-calls

CFLAGS_KERNEL = $(GUEST_FLAGS) $(WARNINGS) $(VERSION_FLAGS) -I. $(NEWLIB_CFLAGS)

# What is built with FLAGS depends on this, which is rewritten when they change.
$(BUILD)/%/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(FLAGS)' | cmp -s - $@ || echo '$(FLAGS)' > $@

.PHONY: FORCE
FORCE:

# ---- The kernel ----

include kernel/newlib.mk

ARCH_SOURCES := $(addprefix arch/x86_64/,start.S check_cpu.S vectors.S switch.S context.c descriptors.c \
	boot_pvh.c boot_efi.c cpu.c trap.c backtrace.c irq.c apic.c ioapic.c gsi.c \
	counters.c tsc_measure.c hypervisor.c tsc_rate.c alarm_rate.c clock.c paging.c paging_demand.c \
	vmware.c xen.c xen_cpuid.c xen_memory_map.c xen_page.S hyperv.c hyperv_cpuid.c hyperv_page.S)
LIB_SOURCES := $(addprefix kernel/lib/,elapsed.c escape.c events.c hooks.c libc.c json.c log.c panic.c \
	parse.c printf.c wrap.c)
MM_SOURCES := $(addprefix mm/,memmap.c memory.c bitset.c owner.c frame_spans.c frame_runs.c frame_map.c frame_map_make.c \
	frame_fill.c frame_change.c frame.c frame_blocks.c frame_bulk.c frame_section.c frame_region.c memory_region.c ledger.c \
	heap.c stack.c poison.c vm_events.c psi.c frame_dump.c page_record.c replacement.c)
ACPI_SOURCES := $(addprefix drivers/acpi/,acpi.c acpi_tables.c acpi_aml.c acpi_power.c \
	acpi_register.c acpi_device.c acpi_name.c acpi_notify.c acpi_memory.c)
PCI_SOURCES := $(addprefix drivers/pci/,pci_setup.c pci_config.c pci_roots.c pci_scan.c pci_bar.c \
	pci_bridge.c pci_gap.c pci_assign.c pci_capability.c pci_intx.c pci_msix.c pci_hotplug.c pci_slot.c \
	pci_slot_express.c pci_slot_acpi.c pci_names.c pci_cmd.c)
VIRTIO_SOURCES := $(addprefix drivers/virtio/,virtio.c virtio_features.c virtio_feature_names.c \
	virtq.c virtq_split.c virtq_packed.c virtio_pci.c virtio_pci_irq.c virtio_pci_modern.c \
	virtio_pci_legacy.c virtio_mmio.c virtio_mmio_registers.c virtio_mmio_parse.c virtio_cmd.c)
BALLOON_SOURCES := $(addprefix drivers/balloon/,balloon.c balloon_recovery.c balloon_place.c balloon_offer.c \
	balloon_batch.c balloon_ranges.c balloon_refusal.c balloon_wait.c balloon_reclaim.c \
	balloon_state.c balloon_settings.c balloon_stats.c balloon_account.c balloon_events.c \
	balloon_free.c balloon_vacate.c \
	$(addprefix port/,virtio_balloon.c virtio_balloon_pages.c virtio_balloon_stats.c \
	virtio_balloon_report.c virtio_balloon_hint.c))
XEN_BALLOON_SOURCES := $(addprefix drivers/balloon/port/,xen_balloon.c xen_balloon_pages.c)
HYPERV_BALLOON_SOURCES := $(addprefix drivers/balloon/port/,hyperv_balloon.c hyperv_balloon_requests.c)
VMWARE_BALLOON_SOURCES := $(addprefix drivers/balloon/port/vmware_balloon,.c _call.c _pages.c)
MEM_SOURCES := $(addprefix drivers/mem/,mem_source.c mem_leave.c mem_lost.c mem_events.c)
VIRTIO_MEM_SOURCES := $(addprefix drivers/mem/virtio_mem,_config.c _request.c _books.c _audit.c \
	_recovery.c _wait.c _work.c .c)
BLOCK_SOURCES := $(addprefix drivers/block/,virtio_blk.c block_rate.c block_request.c block.c)
DIMM_SOURCES := $(addprefix drivers/mem/,dimm.c dimm_place.c dimm_users.c)
SERIAL_SOURCES := $(addprefix drivers/serial/,uart16550.c uart16550_find.c debugcon.c)
XENSTORE_SOURCES := $(addprefix drivers/xen/xenstore,_ring.c _request.c _node.c .c)
XEN_SOURCES := $(addprefix drivers/xen/,xen.c xen_stamps.c xen_events.c xen_console.c xen_map.c \
	xenstore_cmd.c xen_check_cmd.c) \
	$(XENSTORE_SOURCES)
VMBUS_SOURCES := $(addprefix drivers/hyperv/,hyperv.c synic.c vmbus_ring.c vmbus_message.c vmbus_channel.c \
	vmbus_open.c vmbus.c dm.c)
DRIVER_SOURCES := $(SERIAL_SOURCES) $(XEN_SOURCES) $(VMBUS_SOURCES) drivers/pvpanic/pvpanic.c $(ACPI_SOURCES) $(PCI_SOURCES) \
	$(VIRTIO_SOURCES) $(BALLOON_SOURCES) $(XEN_BALLOON_SOURCES) $(HYPERV_BALLOON_SOURCES) \
	$(VMWARE_BALLOON_SOURCES) \
	$(addprefix drivers/balloon/,balloon_cmd.c balloon_wait_cmd.c port/virtio_balloon_cmd.c \
	port/xen_balloon_cmd.c port/hyperv_balloon_cmd.c port/vmware_balloon_cmd.c) $(MEM_SOURCES) $(VIRTIO_MEM_SOURCES) \
	$(DIMM_SOURCES) $(addprefix drivers/mem/,hyperv_mem.c mem_cmd.c) drivers/hyperv/vmbus_cmd.c \
	$(BLOCK_SOURCES) drivers/block/block_cmd.c
LINE_EDIT := $(addprefix kernel/,line_edit.c line_edit_text.c line_edit_complete.c)
SHELL_SOURCES := $(addprefix kernel/,shell.c shell_words.c shell_task.c command_line.c) $(LINE_EDIT)
KERNEL_SOURCES := $(SHELL_SOURCES) $(addprefix kernel/,main.c console.c console_input.c shell_cmd.c show_mem.c \
	audit_cmd.c mem_figures.c situation.c readings.c pressure.c pressure_cmd.c events_print.c events_cmd.c \
	dump.c hold.c hold_task.c hold_cmd.c \
	course.c stress.c stress_page.c stress_words.c stress_cmd.c \
	$(addprefix vm/vm,_swap.c _pages.c _user.c _transfer.c _evict.c _region.c _killer.c _reclaim.c _fault.c .c) \
	poison_task.c acpi_task.c xen_task.c system.c machine.c pci_windows.c virtio_mmio_find.c devices.c \
	options.c option_words.c crash_cmd.c \
	heap_cmd.c)

TASK_SOURCES := kernel/task/task.c kernel/task/task_await.c
GUEST_SOURCES := $(ARCH_SOURCES) $(LIB_SOURCES) $(MM_SOURCES) $(TASK_SOURCES) $(DRIVER_SOURCES) \
	$(KERNEL_SOURCES)
GUEST_OBJECTS := $(addprefix $(BUILD)/guest/,$(addsuffix .o,$(basename $(GUEST_SOURCES))))

$(BUILD)/guest/flags: FLAGS = $(CC) $(CFLAGS_KERNEL)
$(BUILD)/guest/flags: | $(call needs,kernel $(if $(findstring clang,$(CC)),clang))

$(BUILD)/guest/%.o: %.c $(BUILD)/guest/flags $(NEWLIB_HEADERS)
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(CFLAGS_KERNEL) -MMD -MP -c -o $@ $<

$(BUILD)/guest/%.o: %.S $(BUILD)/guest/flags
	@mkdir -p $(@D)
	$(call say,AS)$(CC) -I. -MMD -MP -c -o $@ $<

# Linked twice: first with an empty symbol table, to learn the addresses that
# the second link's table holds. The table moves none of them (see linker.ld).
LINK = $(LD) -nostdlib -static --build-id=none -z noexecstack -z max-page-size=4096 \
	-T linker.ld -o $@ $(filter %.o %.a,$^)

$(BUILD)/symbols0.S: arch/x86_64/symbols.awk
	@mkdir -p $(@D)
	$(call say,GEN)awk -f $< /dev/null > $@

$(BUILD)/symbols1.S: arch/x86_64/symbols.awk $(BUILD)/aerostat0.elf
	$(call say,GEN)nm -n $(BUILD)/aerostat0.elf | awk -f $< > $@

$(BUILD)/symbols%.o: $(BUILD)/symbols%.S $(BUILD)/guest/flags
	$(call say,AS)$(CC) -c -o $@ $<

$(BUILD)/aerostat0.elf: $(GUEST_OBJECTS) $(BUILD)/symbols0.o $(NEWLIB) linker.ld
	$(call say,LD)$(LINK)

$(BUILD)/aerostat.elf: $(GUEST_OBJECTS) $(BUILD)/symbols1.o $(NEWLIB) linker.ld
	$(call say,LD)$(LINK)

# ---- The UEFI image ----

include arch/x86_64/efi/efi.mk

# ---- Host tools ----

include tools/tools.mk
include tools/release.mk

# ---- Running ----

export MEM MACHINE HYPERVISOR QEMU ACCEL APPEND FIRMWARE BALLOON EXTRA NAME TIMEOUT BUILD

KERNEL_IMAGES := $(BUILD)/aerostat.elf $(BUILD)/aerostat.efi $(BUILD)/esp.img

# What a start wants: the images that FIRMWARE takes, the demo, and what drives the balloon.
RUN_UEFI := $(KERNEL_IMAGES) $(call needs,qemu firmware)
RUN_ELF := $(BUILD)/aerostat.elf $(if $(HYPERVISOR),$(BUILD)/hypervisor.elf) $(call needs,qemu)
RUN := $(if $(filter uefi,$(FIRMWARE)),$(RUN_UEFI),$(RUN_ELF))

.PHONY: all run run-uefi demo virsh-demo
all: $(KERNEL_IMAGES)

# Without a terminal there is nobody to leave at a console: the demo then, unless
# the command line says what to do.
run: | $(RUN)
run-uefi: FIRMWARE := uefi
run-uefi: | $(RUN_UEFI)
run run-uefi: $(BUILD)/tools/demo $(BUILD)/tools/balloonctl
	@if [ -t 0 ] || [ -n "$$APPEND" ]; then tools/run.sh; else tools/run.sh --demo; fi

demo: $(BUILD)/tools/demo | $(RUN)
	@tools/run.sh --demo

# As an unprivileged user under libvirt, from define to destroy.
virsh-demo: $(BUILD)/aerostat.elf $(BUILD)/libvirt/balloonctl | $(call needs,qemu libvirt)
	@$(alone) tools/libvirt/demo.sh

# ---- Tests and benchmarks ----

include tests/hypervisor/hypervisor.mk
include tests/tests.mk
include tests/wanted.mk
include tests/bench/bench.mk

# ---- Chores ----

.PHONY: help clean fmt

fmt:
	clang-format -i $$(git ls-files -co --exclude-standard '*.c' '*.h')

clean:
	rm -rf $(BUILD)

help:
	@sed -n 's/^#: //p' Makefile

#: make                  the kernel (build/aerostat.elf) and the UEFI image
#:                       (build/aerostat.efi, build/esp.img)
#: make run              boot it; at a terminal you are left at its console, with a
#:                       line of balloonctl to copy into another
#: make run-uefi         the same by UEFI firmware (OVMF)
#: make demo             boot it, take a quarter of its memory over QMP, give it
#:                       back, show each step
#:
#:   MEM=1G              memory, 16M to 32T; 1.5G, 64MiB, or bytes
#:   GROW=8G             memory that may come later: docs/growth.md
#:   MACHINE=q35         or pc, microvm
#:   FIRMWARE=default    or qboot, uefi
#:   HYPERVISOR=vmware   or hyperv, xen, plain: inside a hypervisor for tests,
#:                       docs/hypervisor.md
#:   ACCEL=tcg           or kvm; the default is kvm where it works
#:   QEMU=PROGRAM        qemu-system-x86_64
#:   APPEND='run="show_mem; exit 0"'     the kernel's command line
#:   BALLOON=deflate-on-oom=on           properties of the balloon device; none:
#:                                       no device
#:   EXTRA='...'         further arguments for QEMU
#:   TIMEOUT=60          seconds after which the machine is ended
#:
#: make virsh-demo       the same under libvirt, as an unprivileged user, with
#:                       save and restore
#: make tools            build/tools/balloonctl, which drives and shows balloons
#:                       from the host
#: make install          balloonctl, manual pages, completion for bash, zsh and
#:                       fish, dashboard and alerts; PREFIX=/usr/local DESTDIR=
#: make uninstall        removes exactly that, with the same PREFIX and DESTDIR
#:
#: make dist             build/aerostat-VERSION.tar.xz: kernel, UEFI image, ISO and
#:                       disk image, balloonctl, pages, sums, SPDX list
#: make deb              balloonctl as a Debian package, looked at by lintian
#:
#: make test             all tests: on the host, and of the real image under
#:                       QEMU; make matrix, too
#: make test-unit        those on the host (ASan, UBSan); TESTS='*frame*' for
#:                       some of the programs
#: make test-integration those under QEMU; TESTS='*floor*' for some of them
#: make test-hypervisor  those that can be, inside the hypervisor for tests
#:                       (docs/hypervisor.md); part of test-all
#: make test-hypervisor-linux  Linux's own drivers on the VMware and the Hyper-V
#:                       that tests play, and Aerostat through the same plan
#: make test-hypervisor-nested  Aerostat on QEMU's own Hyper-V balloon, on KVM in a
#:                       Linux inside QEMU
#: make matrix           the cells that matter most of machine x device x
#:                       interrupts x ring x features
#: make model            the balloon's protocol, modelled, in all of its states;
#:                       and planted faults
#: make test-all         what takes longer: all cells, floods, later QEMUs,
#:                       libvirt, mutants, the model, a minute of each fuzzer,
#:                       another Debian
#: make qemu-next        unpack the QEMUs of Debian's later suites below
#:                       build/qemu-next, for QEMU=; nothing is installed
#: make test-qemu-next   with each of them: tests under QEMU, and the short matrix
#: make test-xen         Aerostat as the first domain of Debian's Xen, in QEMU; the
#:                       package is unpacked below build/xen, nothing is installed
#: make test-xen-next    the same with each later QEMU; part of test-all
#: make test-xen-dom0    two Aerostat domains that xl makes and moves, under Linux;
#:                       SEED=7 for the same targets again, ICOUNT=3 for times that
#:                       do not depend on what else runs, BOOTS=20 for so many
#:                       boots with a part of their memory; part of test-all
#: make test-xen-linux   an Aerostat and a Linux domain beside each other, whose
#:                       figures must move by the same; with QEMU 7.2, on demand
#: make test-stops       with each QEMU from 10 on: guests that stand still for
#:                       2.1 s in the middle of each kind of wait; part of
#:                       test-all
#: make test-soak        COUNT=1000 such stops, WAITS='*flate' for some kinds; and
#:                       five times as many random targets, a tenth with a
#:                       running move; then XENS=20 boots of each kind on Xen,
#:                       and RUNS=10 of make test beside two busy loops
#: make matrix-all       every cell; CELLS='*packed*' for some of them; both
#:                       write build/matrix.md
#: make fuzz             what takes input, fed with noise; TIME=40 seconds each,
#:                       FUZZ='acpi pci' for some
#: make coverage         which branches the unit tests take; less than 90 % is a
#:                       failure
#: make mutants          whether the unit tests notice small faults: those in
#:                       tests/mutants/list, and 150 that a rule makes; SEED=2
#:                       draws others, DRAW=50 IN=mm so many in files that begin
#:                       so, FAULTS='*packed*' only some of the list; part of
#:                       test-all
#: make check-mutants    whether the rules, the draws and the limits of these do
#:                       what they should
#: make test-debian      both commands on a fresh Debian, from its bootstrap on;
#:                       RELEASE=trixie, or which; part of test-all
#: make check-contrib    what promtool and systemd say of balloonctl's alerts,
#:                       metrics and unit; part of test-all
#: make check-dist       whether a release is the same bytes when made elsewhere
#:                       and later, is whole, boots, and docs/ci.md works with it
#: make check-deb        likewise for the package; both part of test-all
#: make check-shell      what shellcheck says of the scripts and mandoc of the
#:                       manual pages, what zsh and fish complete, and whether
#:                       uninstall removes what install put; part of test-all
#: make check-layers     whether includes and calls point one way
#: make check-style      the rules of style that a machine can hold, and
#:                       assertions per thousand lines
#: make test-docs        whether the samples in README.md and docs/ are real, and
#:                       links lead somewhere; PAGES=docs/console.md for some
#: make docs-samples     rewrites those samples from what is really printed
#: make check-conformance  whether docs/conformance.md names only what exists
#: make bench-boot       time to the prompt by memory, beside a kernel that
#:                       prints one byte; draws build/boot.svg
#: make bench-balloon    each strategy beside the device alone and a Linux guest,
#:                       and the goals; BENCH='-n 3 --json' for three rounds of
#:                       it, as JSON
#: make bench-growth     memory that virtio-mem brings and takes, beside the device
#:                       alone and a Linux guest, and the goals
#: make bench-console    how long the console takes to answer while the guest
#:                       works; BENCH='-M 8G -b anonymous -t 1' for a little of it
#: make bench-hypervisors  frames a second to and from a VMware that tests play,
#:                       beside virtio's, what a Hyper-V asks for, and the prompt
#:                       inside; BENCH='-n 5 -T': five rounds, and 1 TiB
#: make bench-idle       what a guest that does nothing costs, beside a Linux
#:                       guest; BENCH='-g 200 -m q35' for 200 at once
#: make bench-move       bytes and time of moves of a busy guest, by features,
#:                       beside hinting alone; with QEMU 10 and later
#: make bench-alloc      the frame allocator beside a textbook buddy, on the host;
#:                       BENCH=--json, BENCH=--help
#: make bench-replacement  hits of 100 references by what chooses the pages that
#:                       go, beside what others do and the best that can be
#: make bench            all of these
#: make fmt              clang-format
#: make clean            remove build/
#:
#: V=1 shows the commands; CC=clang builds the guest with clang. What is not
#: installed is installed first, with apt-get; PACKAGES=no leaves that out.
#: make's own status only tells success from failure: for the guest's status
#: (`exit N`), run tools/run.sh with the same variables in the environment.

# What headers each object was made from. The copies of the tree that some tests
# make have their own, and what is unpacked has folders of such names.
-include $(shell find -H $(BUILD) \( -path $(BUILD)/mutants -o -path $(BUILD)/debian \
	-o -path $(BUILD)/qemu-next -o -path $(BUILD)/check-dist \) -prune \
	-o -type f -name '*.d' -print 2>/dev/null)
