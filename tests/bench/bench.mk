# SPDX-License-Identifier: BSD-2-Clause
#
# Benchmarks: ratios against a peer that is measured in the same run. Further
# arguments for the programs, as -n ROUNDS, are in BENCH.

.PHONY: bench bench-boot bench-balloon bench-console bench-alloc
bench: bench-boot bench-balloon bench-growth bench-pressure bench-console bench-alloc bench-move bench-idle \
	bench-hypervisors bench-replacement

# ---- Time to the prompt, beside a kernel that prints one byte ----

$(BUILD)/bench/one_byte.o: tests/bench/one_byte.S $(BUILD)/guest/flags
	@mkdir -p $(@D)
	$(call say,AS)$(CC) -c -o $@ $<

$(BUILD)/bench/one_byte.elf: $(BUILD)/bench/one_byte.o
	$(call say,LD)$(LD) -nostdlib -static --build-id=none -z noexecstack -Ttext=0x100000 \
		-e _start -o $@ $<

$(BUILD)/bench/boot: $(addprefix $(BUILD)/host/tests/bench/,boot.o samples.o circumstances.o) \
		$(SVG_SOURCES:%.c=$(BUILD)/host/%.o)
	@mkdir -p $(@D)
	$(call say,LD)$(HOSTCC) -o $@ $^ -ljson-c -lm

bench-boot: $(BUILD)/bench/boot $(BUILD)/bench/one_byte.elf $(BUILD)/aerostat.elf \
		| $(call needs,qemu)
	@$(BUILD)/bench/boot -M 128M,1G,8G,64G,1T -o $(BUILD)/boot.svg $(BENCH) \
		$(BUILD)/aerostat.elf $(BUILD)/bench/one_byte.elf

# ---- The balloon, beside the device alone and a Linux guest ----

BENCH_BALLOON_OBJECTS := $(addprefix $(BUILD)/host/tests/bench/,balloon.o balloon_measure.o \
	arguments.o balloon_report.o figures.o subject.o lone_device.o qemu_memory.o qtest.o trace.o \
	host.o samples.o circumstances.o)

$(BUILD)/bench/balloon: $(BENCH_BALLOON_OBJECTS) $(VM_OBJECTS)
	@mkdir -p $(@D)
	$(call say,LD)$(HOSTCC) -o $@ $^ -ljson-c -lm -pthread

# The peer: fetched as Debian's packages and unpacked there, never installed.
$(BUILD)/bench/linux/initrd: tests/bench/linux_guest.sh $(BUILD)/bench/linux_touch \
		| $(call needs,bench)
	$(call say,FETCH)$< $(@D) $(BUILD)/bench/linux_touch

$(BUILD)/bench/linux_touch: tests/bench/linux_touch.c
	@mkdir -p $(@D)
	$(call say,LD)$(HOSTCC) -std=gnu11 -O2 $(WARNINGS) -static -o $@ $<

bench-balloon: $(BUILD)/bench/balloon $(BUILD)/bench/one_byte.elf $(BUILD)/aerostat.elf \
		$(BUILD)/bench/linux/initrd | $(call needs,qemu)
	@$(BUILD)/bench/balloon $(BENCH) $(BUILD)/aerostat.elf $(BUILD)/bench/one_byte.elf \
		$(BUILD)/bench/linux

# ---- Memory that grows, beside the device alone and a Linux guest ----

$(BUILD)/bench/growth: $(addprefix $(BUILD)/host/tests/bench/,growth.o growth_measure.o \
		growth_report.o figures.o growth_guest.o lone_mem.o qemu_memory.o qtest.o \
		arguments.o host.o samples.o circumstances.o) $(VM_OBJECTS)
	@mkdir -p $(@D)
	$(call say,LD)$(HOSTCC) -o $@ $^ -ljson-c -lm -pthread

.PHONY: bench-growth
bench-growth: $(BUILD)/bench/growth $(BUILD)/aerostat.elf $(BUILD)/bench/linux/initrd \
		| $(call needs,qemu)
	@$(BUILD)/bench/growth $(BENCH) $(BUILD)/aerostat.elf $(BUILD)/bench/linux

# ---- Memory pressure, beside a Linux guest ----

$(BUILD)/bench/pressure: $(addprefix $(BUILD)/host/tests/bench/,pressure.o arguments.o host.o \
		samples.o circumstances.o) $(VM_OBJECTS)
	@mkdir -p $(@D)
	$(call say,LD)$(HOSTCC) -o $@ $^ -ljson-c -lm

.PHONY: bench-pressure
bench-pressure: $(BUILD)/bench/pressure $(BUILD)/aerostat.elf $(BUILD)/bench/linux/initrd \
		| $(call needs,qemu)
	@$(BUILD)/bench/pressure $(BENCH) $(BUILD)/aerostat.elf $(BUILD)/bench/linux

# ---- The console's answers while the guest works, beside an idle guest ----

$(BUILD)/bench/console: $(addprefix $(BUILD)/host/tests/bench/,console.o console_measure.o \
		arguments.o samples.o circumstances.o) $(TOOL_OBJECTS)
	@mkdir -p $(@D)
	$(call say,LD)$(HOSTCC) -o $@ $^ -ljson-c -lm

bench-console: $(BUILD)/bench/console $(BUILD)/aerostat.elf | $(call needs,qemu)
	@$(BUILD)/bench/console $(BENCH) $(BUILD)/aerostat.elf

# ---- What an idle guest costs, beside a Linux guest ----

$(BUILD)/bench/idle: $(addprefix $(BUILD)/host/tests/bench/,idle.o idle_guest.o arguments.o host.o \
		samples.o circumstances.o)
	@mkdir -p $(@D)
	$(call say,LD)$(HOSTCC) -o $@ $^ -ljson-c -lm -pthread

.PHONY: bench-idle
bench-idle: $(BUILD)/bench/idle $(BUILD)/aerostat.elf $(BUILD)/bench/linux/initrd \
		| $(call needs,qemu)
	@$(BUILD)/bench/idle $(BENCH) $(BUILD)/aerostat.elf $(BUILD)/bench/linux

# ---- Moves of a busy guest, by QEMUs from version 10 on, beside hinting alone ----

$(BUILD)/bench/move: $(addprefix $(BUILD)/host/tests/bench/,move.o samples.o circumstances.o) \
		$(TOOL_OBJECTS)
	@mkdir -p $(@D)
	$(call say,LD)$(HOSTCC) -o $@ $^ -ljson-c -lm

# This machine's own QEMU, and those that `make qemu-next` can have.
.PHONY: bench-move
bench-move: $(BUILD)/bench/move $(BUILD)/aerostat.elf | $(call needs,qemu)
	@[ -n "$(QEMU)" ] || tools/qemu_next.sh $(QEMU_NEXT) || :
	@$(BUILD)/bench/move $(BENCH) $(BUILD)/aerostat.elf $(or $(QEMU),qemu-system-x86_64 \
		$$(sed -n 's/.* QEMU=//p' $(QEMU_NEXT)/summary))

# ---- The allocator on the host, as the unit tests have it, but without sanitizers ----

BENCH_ALLOC_OBJECTS := $(patsubst %.c,$(BUILD)/bench-alloc/%.o,$(FRAME) \
	$(addprefix tests/bench/,alloc.c alloc_work.c contender.c buddy.c))

$(BUILD)/bench-alloc/%.o: %.c $(BUILD)/host/flags
	@mkdir -p $(@D)
	$(call say,CC)$(HOSTCC) -Itests/fake $(CFLAGS_HOST) -MMD -MP -c -o $@ $<

$(BUILD)/bench/alloc: $(BENCH_ALLOC_OBJECTS)
	@mkdir -p $(@D)
	$(call say,LD)$(HOSTCC) -o $@ $^

bench-alloc: $(BUILD)/bench/alloc
	@$(BUILD)/bench/alloc $(BENCH)

# ---- Which page goes, beside what others do: no times, so always the same ----

$(BUILD)/bench/replacement: $(patsubst %.c,$(BUILD)/bench-alloc/%.o,$(REPLAY) \
		tests/bench/replacement.c)
	@mkdir -p $(@D)
	$(call say,LD)$(HOSTCC) -o $@ $^ -lm

.PHONY: bench-replacement
bench-replacement: $(BUILD)/bench/replacement
	@$(BUILD)/bench/replacement $(BENCH)

# ---- The balloon's ports for other hypervisors, beside virtio's ----

$(BUILD)/bench/hypervisors: $(addprefix $(BUILD)/host/tests/bench/,hypervisors.o \
		hypervisors_hyperv.o inside.o arguments.o samples.o circumstances.o) $(TOOL_OBJECTS)
	@mkdir -p $(@D)
	$(call say,LD)$(HOSTCC) -o $@ $^ -ljson-c -lm

.PHONY: bench-hypervisors
bench-hypervisors: $(BUILD)/bench/hypervisors $(BUILD)/aerostat.elf $(BUILD)/hypervisor.elf \
		| $(call needs,qemu)
	@$(BUILD)/bench/hypervisors $(BENCH) $(BUILD)/aerostat.elf $(BUILD)/hypervisor.elf
