# SPDX-License-Identifier: BSD-2-Clause
#
# Programs for the host: balloonctl, and the demo that `make run` shows where
# nobody sits at a terminal. They want a compiler for the host and libraries,
# nothing of what the kernel needs.

# For tests: cmocka 2 has other names for some of what cmocka 1 knows, and complains.
CMOCKA := -DCMOCKA_DISABLE_DEPRECATION_WARNINGS

CFLAGS_HOST := -std=gnu11 -D_GNU_SOURCE -O2 -g -I. $(WARNINGS) $(CMOCKA) $(VERSION_FLAGS)

QMP_SOURCES := $(addprefix tools/,qmp.c qmp_connect.c qmp_wire.c qmp_commands.c qmp_holder.c \
	json_member.c)
SVG_SOURCES := tools/svg_plot.c tools/svg_scale.c
VM_OBJECTS := $(patsubst %.c,$(BUILD)/host/%.o,$(QMP_SOURCES) tools/vm.c tools/vm_start.c)
TOOL_OBJECTS := $(VM_OBJECTS) $(addprefix $(BUILD)/host/tools/,show_mem.o vm_arguments.o vm_migrate.o hypervisor.o)

$(BUILD)/host/flags: FLAGS = $(HOSTCC) $(CFLAGS_HOST)
$(BUILD)/host/flags: | $(call needs,host $(if $(findstring clang,$(HOSTCC)),clang))

$(BUILD)/host/%.o: %.c $(BUILD)/host/flags
	@mkdir -p $(@D)
	$(call say,CC)$(HOSTCC) $(CFLAGS_HOST) -MMD -MP -c -o $@ $<

$(BUILD)/tools/demo: $(BUILD)/host/tools/demo.o $(TOOL_OBJECTS)
	@mkdir -p $(@D)
	$(call say,LD)$(HOSTCC) -o $@ $^ -ljson-c

# ---- balloonctl: a file for each command, apart from what they share (see balloonctl.h) ----

# The readers of a dump are for tests, too.
DUMP_SOURCES := $(addprefix tools/,core.c dump_root.c frame_dump.c frame_dump_owner.c \
	frame_dump_audit.c events_dump.c) kernel/mem_figures.c kernel/events_print.c \
	$(addprefix kernel/lib/,events.c hooks.c escape.c wrap.c) mm/frame_runs.c
BALLOONCTL_COMMON := $(addprefix tools/balloonctl/,command.c commands.c complain.c size.c amount.c \
	report.c guest.c guest_account.c guest_find.c guest_names.c guest_features.c guest_cost.c guest_qmp.c \
	guest_qmp_features.c guest_qmp_target.c guest_qmp_memory.c \
	guest_qmp_devices.c guest_qmp_hypervisor.c guest_libvirt_xml.c guest_situation.c guest_thread.c thread.c \
	progress.c progress_text.c life.c wait.c wait_options.c wait_signals.c status.c \
	set.c grow_plan.c grow_refuse.c grow.c stats.c periodic.c poller.c guest_set.c history.c grid.c \
	watch_sort.c watch_bar.c watch_chart.c watch_table.c watch_stats.c watch_draw.c watch_terminal.c watch_lines.c watch.c \
	course.c course_sum.c record.c plot.c replace_file.c metrics.c listen.c listen_limit.c export.c live.c list.c dump.c) \
	kernel/lib/parse.c kernel/situation.c kernel/readings.c $(SVG_SOURCES) $(QMP_SOURCES) $(DUMP_SOURCES) \
	tools/hypervisor.c
BALLOONCTL_LIBS := -ljson-c -lelf -lncursesw -lmicrohttpd -lm -pthread

# Built with libvirt where its headers are; nobody has to have them.
LIBVIRT := $(wildcard /usr/include/libvirt/libvirt.h)
BALLOONCTL_SOURCES := $(BALLOONCTL_COMMON) \
	tools/balloonctl/$(if $(LIBVIRT),guest_libvirt.c,guest_no_libvirt.c)

BALLOONCTL_COMMON_OBJECTS := $(patsubst %.c,$(BUILD)/host/%.o, \
	tools/balloonctl/main.c $(BALLOONCTL_COMMON))

$(filter-out $(TOOL_OBJECTS),$(BALLOONCTL_COMMON_OBJECTS)): | $(call needs,tools)
$(BUILD)/host/tools/balloonctl/guest_libvirt.o: | $(if $(LIBVIRT),,$(call needs,libvirt-headers))

# The linker's id of a build is a sum over what debuggers read, and so over where the
# sources lie: a release is to be the same everywhere.
$(BUILD)/tools/balloonctl: $(BUILD)/host/tools/balloonctl/main.o \
		$(BALLOONCTL_SOURCES:%.c=$(BUILD)/host/%.o)
	@mkdir -p $(@D)
	$(call say,LD)$(HOSTCC) -Wl,--build-id=none -o $@ $^ $(BALLOONCTL_LIBS) $(if $(LIBVIRT),-lvirt)

# One that has libvirt in any case, for `make virsh-demo`.
$(BUILD)/libvirt/balloonctl: $(BALLOONCTL_COMMON_OBJECTS) \
		$(BUILD)/host/tools/balloonctl/guest_libvirt.o
	@mkdir -p $(@D)
	$(call say,LD)$(HOSTCC) -o $@ $^ $(BALLOONCTL_LIBS) -lvirt

PREFIX ?= /usr/local

.PHONY: tools install uninstall
tools: $(BUILD)/tools/demo $(BUILD)/tools/balloonctl

# What is installed: PATH:MODE:SOURCE, paths below PREFIX.
CONTRIB := tools/balloonctl/contrib
DOC := share/doc/balloonctl
INSTALLED = bin/balloonctl:755:$(BUILD)/tools/balloonctl \
	share/man/man1/balloonctl.1:644:tools/balloonctl.1 \
	share/man/man7/aerostat.7:644:docs/aerostat.7 \
	share/bash-completion/completions/balloonctl:644:tools/balloonctl/completion.bash \
	share/zsh/site-functions/_balloonctl:644:tools/balloonctl/completion.zsh \
	share/fish/vendor_completions.d/balloonctl.fish:644:tools/balloonctl/completion.fish \
	$(foreach file,balloonctl-dashboard.json balloonctl-alerts.yml \
		balloonctl-alerts_test.yml,$(DOC)/$(file):644:$(CONTRIB)/$(file)) \
	$(DOC)/balloonctl-export.service:644:$(BUILD)/balloonctl-export.service

# The unit names the program by its path.
$(BUILD)/balloonctl-export.service: $(CONTRIB)/balloonctl-export.service FORCE
	@mkdir -p $(@D)
	@sed 's,/usr/bin/balloonctl,$(PREFIX)/bin/balloonctl,' $< > $@

install: $(BUILD)/tools/balloonctl $(BUILD)/balloonctl-export.service
	@set -e; for file in $(INSTALLED); do \
		path=$${file%%:*} mode=$${file#*:}; \
		echo "  INSTALL	$(DESTDIR)$(PREFIX)/$$path"; \
		install -D -m "$${mode%%:*}" "$${file##*:}" "$(DESTDIR)$(PREFIX)/$$path"; \
	done

# Folders that others use, too, stay.
uninstall:
	@set -e; for file in $(INSTALLED); do \
		echo "  REMOVE	$(DESTDIR)$(PREFIX)/$${file%%:*}"; \
		rm -f "$(DESTDIR)$(PREFIX)/$${file%%:*}"; \
	done
	@[ ! -d "$(DESTDIR)$(PREFIX)/$(DOC)" ] || \
		rmdir --ignore-fail-on-non-empty "$(DESTDIR)$(PREFIX)/$(DOC)"
