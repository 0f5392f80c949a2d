# SPDX-License-Identifier: BSD-2-Clause
#
# What a goal was asked for, as TESTS='*frame*', is looked up before anything is built: a name
# that nobody has ends make with one line, which says what there is (tests/wanted.sh).

# $(call wanted,GOALS,VARIABLE,WHAT,COMMAND): each word of VARIABLE, if it is set and one of
# GOALS is to be made, is like a line that COMMAND prints.
wanted = $(if $(filter $(1),$(MAKECMDGOALS)),$(foreach value,$($(2)),$(call complain,$(shell \
	{ $(4); } | tests/wanted.sh names $(2) '$(value)' '$(3)'))))

# $(call number,GOALS,VARIABLE,LEAST): likewise, VARIABLE is a whole number.
number = $(if $(filter $(1),$(MAKECMDGOALS)),$(call complain,$(shell \
	tests/wanted.sh number $(2) '$($(2))' $(3))))

complain = $(if $(1),$(error $(1)))

qemu_test_names = grep -ohE '(TEST|cmocka_unit_test[a-z_]*)\([a-z0-9_]+' tests/integration/*.c | \
	sed 's/.*(//'
wait_names = sed -nE 's/^	\{ "([a-z-]+)",$$/\1/p' tests/soak/wait.c
fault_names = sed -n 's/^fault: //p' tests/mutants/list
page_names = ls README.md docs/*.md $(PAGES) 2>/dev/null
# Of files, for which IN is no pattern, folders are enough.
file_names = find $(MUTATED) -name '*.c' | grep -q '^$(IN)' && echo '$(IN)' || \
	find $(MUTATED) -type d | sort

$(call wanted,test-unit,TESTS,unit test program,printf '%s\n' $(UNIT_NAMES) lies porting)
$(call wanted,test-integration test-hypervisor,TESTS,test under QEMU,$(qemu_test_names))
$(call wanted,test-docs docs-samples,PAGES,page,$(page_names))
$(call wanted,fuzz fuzz-short,FUZZ,fuzz target,printf '%s\n' $(FUZZERS))
$(call wanted,test-stops test-soak,WAITS,kind of wait,$(wait_names))
$(call wanted,mutants,FAULTS,fault of the list,$(fault_names))
$(if $(FAULTS),,$(call wanted,mutants,IN,folder or file,$(file_names)))
$(call number,fuzz,TIME,1)
$(call number,mutants,SEED,0)
$(call number,mutants,DRAW,0)
$(call number,test-xen-dom0,SEED,0)
$(call number,test-soak,COUNT,1)
$(if $(filter command environment,$(firstword $(origin RUNS))),$(call number,test-soak,RUNS,0))
$(if $(filter command environment,$(firstword $(origin XENS))),$(call number,test-soak,XENS,0))
