# SPDX-License-Identifier: BSD-2-Clause
#
# The hypervisor that runs inside QEMU and has the real image as its guest: $(BUILD)/hypervisor.elf.
# It is built as the guest is, with the same part of newlib.

# Plain C without a machine in it: unit tests have the same files.
HYPERV_HOST := $(addprefix tests/hypervisor/,hyperv.c hyperv_synic.c hyperv_vmbus.c \
	hyperv_channel.c hyperv_gpadl.c hyperv_ring.c hyperv_dm.c hyperv_ask.c hyperv_ranges.c)
PERSONALITY_SOURCES := $(addprefix tests/hypervisor/,host_frames.c personalities.c plain.c vmware.c xen.c) \
	$(addprefix tests/sim/,sim_xen.c sim_xenstore.c) $(HYPERV_HOST)
HYPERVISOR_SOURCES := $(addprefix tests/hypervisor/,start.S run.S main.c die.c fw_cfg.c memory_map.c load.c \
	pool.c own_map.c npt.c svm.c interrupts.c exits.c machine.c virtual.c) $(PERSONALITY_SOURCES)
HYPERVISOR_OBJECTS := $(addprefix $(BUILD)/hypervisor/,$(addsuffix .o,$(basename $(HYPERVISOR_SOURCES))))

$(BUILD)/hypervisor/flags: FLAGS = $(CC) $(CFLAGS_KERNEL)
$(BUILD)/hypervisor/flags: | $(call needs,kernel $(if $(findstring clang,$(CC)),clang))

$(BUILD)/hypervisor/%.o: %.c $(BUILD)/hypervisor/flags $(NEWLIB_HEADERS)
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(CFLAGS_KERNEL) -MMD -MP -c -o $@ $<

$(BUILD)/hypervisor/%.o: %.S $(BUILD)/hypervisor/flags
	@mkdir -p $(@D)
	$(call say,AS)$(CC) -I. -MMD -MP -c -o $@ $<

$(BUILD)/hypervisor.elf: $(HYPERVISOR_OBJECTS) $(NEWLIB) tests/hypervisor/hypervisor.ld
	$(call say,LD)$(LD) -nostdlib -static --build-id=none -z noexecstack -z max-page-size=4096 \
		--no-warn-rwx-segments -T tests/hypervisor/hypervisor.ld -o $@ $(filter %.o %.a,$^)
