# SPDX-License-Identifier: BSD-2-Clause
#
# What can be downloaded: the archive of a release, and balloonctl's Debian package.

# Built apart, from the start and without libvirt, whatever this machine has: what the
# archive holds must not depend on that.
DIST_BUILD := $(BUILD)/dist
DIST_MAKE = $(MAKE) BUILD='$(DIST_BUILD)' PACKAGES=no LIBVIRT= \
	CC='$(CC)' HOSTCC='$(HOSTCC)'

.PHONY: dist deb
dist: | $(call needs,kernel uefi host tools dist)
	@mkdir -p $(BUILD)
	+@$(DIST_MAKE) all $(DIST_BUILD)/tools/balloonctl >$(BUILD)/dist.log 2>&1 || \
		{ tail $(BUILD)/dist.log; exit 1; }
	@tools/dist.sh $(DIST_BUILD) $(BUILD) $(VERSION)

deb: $(BUILD)/tools/balloonctl | $(call needs,deb)
	@tools/deb.sh $(BUILD) $(VERSION)
