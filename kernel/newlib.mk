# SPDX-License-Identifier: BSD-2-Clause
#
# newlib, the C library of the kernel. Debian has it for x86_64 as source only.
# Just the files that the kernel uses are compiled, in their portable C: the
# hand-written memcpy() for this processor lives on `rep movs`, which is slow
# under emulation.
#
# What is installed may be there only after $(call needs,kernel): variables that
# look for it are expanded in recipes, never while this is read.

NEWLIB := $(BUILD)/newlib/libc.a
NEWLIB_HEADERS := $(BUILD)/newlib/config/newlib.h
NEWLIB_LIBC := $(BUILD)/newlib/src/newlib/libc
NEWLIB_TARBALL = $(shell ls -v /usr/src/newlib/newlib-*.tar.* 2>/dev/null | tail -n 1)

# For the kernel's own files, too. The compiler's headers come last: its stdint.h
# would hide newlib's, without which inttypes.h has no PRIu64.
NEWLIB_CFLAGS = -nostdinc -isystem $(dir $(NEWLIB_HEADERS)) \
	-isystem $(NEWLIB_LIBC)/include \
	-isystem $(shell $(CC) -print-file-name=include 2>/dev/null)

# reent-small keeps the tables of open files out, and so read(), write() and
# all they want; without fvwrite-in-streamio printf needs fewer files. Do not add
# nano-formatted-io: it prints %zu and %llu wrong, nor nano-malloc: it never gives
# memory back.
NEWLIB_CONFIGURE := --host=x86_64-elf --target=x86_64-elf --disable-multilib \
	--no-recursion --disable-newlib-multithread --enable-newlib-reent-small \
	--enable-newlib-io-c99-formats --enable-newlib-io-long-long \
	--disable-newlib-io-float --disable-newlib-fvwrite-in-streamio

NEWLIB_SOURCES := $(addprefix string/,memchr memcmp memcpy memmove memset \
	strcasecmp strcat strchr strcmp strcpy strcspn strlcpy strlen strncmp strncpy \
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

# The tarball's date alone would not tell that another one is there: an upgrade
# can be older than the build.
$(BUILD)/newlib/flags: FLAGS = $(shell stat -c '%n %s %Y' $(NEWLIB_TARBALL) 2>/dev/null) \
	$(NEWLIB_CONFIGURE) $(CC) $(NEWLIB_FLAGS)
$(BUILD)/newlib/flags: | $(call needs,kernel)

# Older releases have no ssputs_r.c, as vfprintf.c holds its function: an empty
# file is made then. newlib.h comes last, when all the rest is there.
$(NEWLIB_HEADERS): $(BUILD)/newlib/flags
	@[ -n '$(NEWLIB_TARBALL)' ] || { \
		echo 'no newlib-*.tar.* in /usr/src/newlib: install newlib-source' >&2; exit 1; }
	$(call say,UNPACK)rm -rf $(BUILD)/newlib/src $(@D)
	@mkdir -p $(BUILD)/newlib/src $(@D)
	@tar -xf $(NEWLIB_TARBALL) --strip-components=1 -C $(BUILD)/newlib/src
	@touch $(NEWLIB_LIBC)/stdio/ssputs_r.c
	@cd $(@D) && ../src/newlib/configure $(NEWLIB_CONFIGURE) CC='$(CC)' \
		> configure.log 2>&1 || { tail configure.log; exit 1; }
	@touch $@

$(NEWLIB_OBJECTS): $(BUILD)/newlib/%.o: $(NEWLIB_HEADERS)
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(NEWLIB_FLAGS) $(NEWLIB_VARIANT) -c -o $@ $(NEWLIB_LIBC)/$*.c

$(NEWLIB): $(NEWLIB_OBJECTS)
	@rm -f $@
	$(call say,AR)$(AR) rcs $@ $^
