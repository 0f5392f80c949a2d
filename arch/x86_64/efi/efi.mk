# SPDX-License-Identifier: BSD-2-Clause
#
# The UEFI image: a gnu-efi loader that carries the kernel.
#
# Position-independent, as a PE image must be; gnu-efi's linker script takes
# *(.bss) and *(.data*) only, so no -fdata-sections and no -flto here. Never
# reuse the kernel's CFLAGS (-mcmodel, -fno-pic, newlib's headers).

EFI_DIR := arch/x86_64/efi
EFI_CRT0 = $(firstword $(shell ls $(foreach where,/usr/lib /usr/lib/* /usr/lib/*/gnuefi, \
	$(where)/crt0-efi-x86_64.o) 2>/dev/null))
EFI_LIB = $(patsubst %/,%,$(dir $(EFI_CRT0)))

# gcc's ms_abi needs it (see its manual), clang has no such flag.
EFI_ACCUMULATE = $(shell $(CC) -maccumulate-outgoing-args -E -x c /dev/null \
	>/dev/null 2>&1 && echo -maccumulate-outgoing-args)

EFI_CFLAGS = -std=gnu11 -O2 -g -ffreestanding -fpic -fshort-wchar \
	-mno-red-zone -mgeneral-regs-only -fno-stack-protector \
	-fcf-protection=none -fno-asynchronous-unwind-tables \
	$(WARNINGS) $(EFI_ACCUMULATE) \
	-DGNU_EFI_USE_MS_ABI -I. -isystem /usr/include/efi \
	-isystem /usr/include/efi/x86_64
# GNU ld: the script is for it. Start code of later releases calls _entry(), of
# libefi, which sets up what we do without and calls efi_main() then.
EFI_LD ?= ld
EFI_LDFLAGS = -nostdlib -shared -Bsymbolic -znocombreloc -z defs \
	-z noexecstack --no-warn-rwx-segments --build-id=none \
	--defsym=_entry=efi_main -T $(EFI_LIB)/elf_x86_64_efi.lds

EFI_OBJECTS := $(addprefix $(BUILD)/$(EFI_DIR)/,loader.o handover.o cpu_needs.o payload.o)

$(BUILD)/$(EFI_DIR)/flags: FLAGS = $(CC) $(EFI_CFLAGS) $(EFI_LDFLAGS)
$(BUILD)/$(EFI_DIR)/flags: | $(call needs,kernel uefi)

$(BUILD)/$(EFI_DIR)/%.o: $(EFI_DIR)/%.c $(BUILD)/$(EFI_DIR)/flags
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(EFI_CFLAGS) -MMD -MP -c -o $@ $<

# What the loader does not read is not carried: it would be read from the disk.
$(BUILD)/$(EFI_DIR)/kernel.elf: $(BUILD)/aerostat.elf
	@mkdir -p $(@D)
	$(call say,STRIP)objcopy --strip-all $< $@

$(BUILD)/$(EFI_DIR)/payload.o: $(EFI_DIR)/payload.S $(BUILD)/$(EFI_DIR)/kernel.elf \
		$(BUILD)/$(EFI_DIR)/flags
	$(call say,AS)$(CC) -DKERNEL_ELF='"$(BUILD)/$(EFI_DIR)/kernel.elf"' -c -o $@ $<

$(BUILD)/$(EFI_DIR)/loader.so: $(EFI_OBJECTS)
	@[ -n '$(EFI_CRT0)' ] || { \
		echo 'no crt0-efi-x86_64.o below /usr/lib: install gnu-efi' >&2; exit 1; }
	$(call say,LD)$(EFI_LD) $(EFI_LDFLAGS) $(EFI_CRT0) $(EFI_OBJECTS) -o $@ \
		-L$(EFI_LIB) -lgnuefi

# The names with patterns are those of later gnu-efi linker scripts.
$(BUILD)/aerostat.efi: $(BUILD)/$(EFI_DIR)/loader.so
	$(call say,OBJCOPY)objcopy -j .text -j .sdata -j .data -j .rodata -j .dynamic -j .dynsym \
		-j .rel -j .rela -j '.rel.*' -j '.rela.*' -j .reloc \
		--output-target=efi-app-x86_64 $< $@

# An EFI system partition without a partition table; firmware starts
# EFI/BOOT/BOOTX64.EFI of it. A command line can be put in later:
#   mcopy -i build/esp.img cmdline.txt ::/EFI/BOOT/
$(BUILD)/esp.img: $(BUILD)/aerostat.efi
	$(call say,IMAGE)rm -f $@.tmp
	@mformat -C -i $@.tmp -T 16384 -v AEROSTAT -N 0 ::
	@mmd -i $@.tmp ::/EFI ::/EFI/BOOT
	@mcopy -i $@.tmp $< ::/EFI/BOOT/BOOTX64.EFI
	@mv $@.tmp $@
