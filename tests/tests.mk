# SPDX-License-Identifier: BSD-2-Clause
#
# Tests, from the quick ones on the host to those that take minutes: unit tests,
# their coverage, fuzzing, mutants, the model; integration tests, the matrix, later
# QEMUs and libvirt under QEMU; a fresh Debian; what `make test` and `make test-all`
# are made of.

# For what needs both cores or measures time: it runs alone, in whatever order
# make comes to it.
alone := flock -o $(BUILD)/cores

# ---- Sources that several programs share ----

FRAME := $(addprefix mm/,frame.c frame_map.c frame_map_make.c frame_runs.c frame_change.c frame_blocks.c \
	frame_bulk.c frame_spans.c frame_fill.c frame_section.c frame_region.c ledger.c bitset.c owner.c \
	vm_events.c)
FRAME_FIXTURE := $(FRAME) mm/memmap.c tests/unit/mm/frame_fixture.c

# What commands print with.
PRINT := kernel/lib/wrap.c kernel/lib/json.c

# What drivers record.
EVENTS := kernel/lib/events.c kernel/lib/hooks.c

SIM_TIME := tests/sim/sim_time.c kernel/lib/elapsed.c

# Real memory, the allocator, and turns of a task.
HOLD_FIXTURE := tests/sim/sim_ram.c $(SIM_TIME) mm/memmap.c $(FRAME)

SIM := $(addprefix tests/sim/,sim_virtio.c sim_virtq.c sim_log.c) $(SIM_TIME) $(EVENTS)
# frame_alloc() and frame_free() for tests without mm/frame.c.
SIM_FRAMES := $(SIM) tests/sim/sim_frame.c

# Pages that are mapped one by one, and panic() that a test survives.
SIM_PAGES := $(addprefix tests/sim/,sim_paging.c sim_panic.c sim_frame.c)

VIRTQ := $(addprefix drivers/virtio/,virtio.c virtio_features.c virtio_feature_names.c \
	virtq.c virtq_split.c virtq_packed.c)
VIRTQ_FIXTURE := $(VIRTQ) $(SIM_FRAMES) tests/unit/drivers/virtio/virtq_fixture.c

VIRTIO_PCI := $(addprefix drivers/virtio/,virtio_pci.c virtio_pci_irq.c virtio_pci_modern.c \
	virtio_pci_legacy.c) drivers/pci/pci_msix.c
VIRTIO_PCI_FIXTURE := $(VIRTIO_PCI) $(addprefix tests/sim/,sim_virtio_pci.c sim_bus.c sim_irq.c) \
	$(VIRTQ) $(SIM_FRAMES) \
	$(addprefix tests/unit/drivers/virtio/,virtio_fixture.c virtio_pci_fixture.c)

PCI_TESTED := $(addprefix drivers/pci/,pci_setup.c pci_config.c pci_roots.c pci_scan.c pci_bar.c \
	pci_bridge.c pci_gap.c pci_assign.c pci_capability.c) \
	$(addprefix tests/sim/,sim_pci.c sim_bus.c sim_log.c) $(EVENTS)
ACPI_TESTED := $(ACPI_SOURCES) $(addprefix tests/sim/,sim_acpi.c sim_log.c) kernel/lib/elapsed.c \
	kernel/lib/parse.c

# Real tasks, switched by the scheduler itself.
SIM_TASKS := tests/sim/sim_tasks.c kernel/task/task.c kernel/task/task_await.c kernel/lib/elapsed.c

XENSTORE_FIXTURE := $(XENSTORE_SOURCES) drivers/xen/xen_stamps.c $(EVENTS) $(SIM_TASKS) \
	tests/sim/sim_xenstore.c tests/sim/sim_log.c \
	tests/unit/drivers/xen/xenstore_fixture.c

BALLOON_FIXTURE := $(BALLOON_SOURCES) kernel/lib/parse.c kernel/lib/wrap.c $(VIRTQ) $(SIM) \
	tests/sim/sim_balloon.c tests/sim/sim_ram.c mm/poison.c $(FRAME) tests/unit/drivers/balloon/balloon_fixture.c
# Likewise with hosts that a test answers for by itself.
HOST_FIXTURE := $(BALLOON_FIXTURE) tests/sim/sim_host.c \
	tests/unit/drivers/balloon/host_fixture.c
# Hosts of other kinds than virtio: one in the call, one by deltas.
PORTS_FIXTURE := $(BALLOON_FIXTURE) \
	$(addprefix tests/sim/,sim_host.c sim_port_sync.c sim_port_delta.c)

# Memory that can be taken back, with real tasks and frames, and simulated disks and page tables.
VM_SOURCES := $(addprefix kernel/vm/vm,_swap.c _pages.c _user.c _transfer.c _evict.c _region.c _killer.c \
	_reclaim.c _fault.c .c)
VM_FIXTURE := $(VM_SOURCES) mm/page_record.c mm/replacement.c mm/psi.c $(SIM_TASKS) $(FRAME) mm/memmap.c \
	$(addprefix tests/sim/sim_,ram.c log.c demand.c disk.c) tests/unit/kernel/vm/vm_fixture.c

# The console's commands, run.
BALLOON_CMD := drivers/balloon/balloon_cmd.c drivers/balloon/balloon_wait_cmd.c \
	tests/sim/sim_command.c kernel/lib/json.c

# Xen, and a store that is only its values.
XEN_BALLOON_FIXTURE := $(BALLOON_FIXTURE) $(XEN_BALLOON_SOURCES) drivers/xen/xen.c drivers/xen/xen_stamps.c \
	tests/sim/sim_xen.c kernel/task/task_await.c \
	tests/unit/drivers/balloon/port/xen_fixture.c

# All of it, with real tasks, the store's client and a simulated xenstored.
XEN_WORLD := $(filter-out drivers/balloon/port/%,$(BALLOON_SOURCES)) $(XEN_BALLOON_SOURCES) \
	drivers/xen/xen.c drivers/xen/xen_stamps.c $(XENSTORE_SOURCES) $(SIM_TASKS) kernel/lib/parse.c \
	kernel/lib/wrap.c \
	$(EVENTS) $(FRAME) mm/poison.c $(addprefix tests/sim/,sim_ram.c sim_xen.c sim_xenstore.c) \
	$(addprefix tests/unit/drivers/balloon/port/xen_,world.c lies.c)

# All of it on Hyper-V, with real tasks, and the host that the test hypervisor plays.
HYPERV_WORLD := $(filter-out drivers/balloon/port/%,$(BALLOON_SOURCES)) $(HYPERV_BALLOON_SOURCES) \
	$(VMBUS_SOURCES) $(MEM_SOURCES) drivers/mem/hyperv_mem.c mm/memory_region.c $(SIM_TASKS) \
	kernel/lib/parse.c kernel/lib/wrap.c $(EVENTS) $(FRAME) mm/poison.c $(HYPERV_HOST) \
	tests/hypervisor/host_frames.c arch/x86_64/hyperv_cpuid.c arch/x86_64/hypervisor.c \
	$(addprefix tests/sim/,sim_ram.c sim_irq.c sim_machine.c sim_hyperv.c) \
	$(addprefix tests/unit/drivers/balloon/port/hyperv_,world.c lies.c)

# The machine around a personality, and Hyper-V in it with a guest that tests lead by the hand.
SIM_MACHINE_RAM := $(addprefix tests/sim/,sim_machine.c sim_ram.c) tests/hypervisor/host_frames.c \
	$(SIM_TIME) mm/memmap.c $(FRAME)
HYPERV_FIXTURE := $(HYPERV_HOST) $(SIM_MACHINE_RAM) tests/unit/hypervisor/hyperv_guest.c

# VMware: the personality that also runs the real image, on a machine of this program's.
SIM_VMWARE := $(addprefix tests/hypervisor/,vmware.c host_frames.c) \
	$(addprefix tests/sim/,sim_machine.c sim_vmware.c)
VMWARE_BALLOON_FIXTURE := $(BALLOON_FIXTURE) $(VMWARE_BALLOON_SOURCES) $(SIM_VMWARE) \
	tests/unit/drivers/balloon/port/vmware_fixture.c
# A whole life of both.
VMWARE_WORLD := $(filter-out drivers/balloon/port/%,$(BALLOON_SOURCES)) $(VMWARE_BALLOON_SOURCES) \
	$(SIM_VMWARE) kernel/lib/parse.c kernel/lib/wrap.c $(EVENTS) $(SIM_TIME) $(FRAME) mm/poison.c \
	$(addprefix tests/sim/,sim_ram.c sim_log.c) tests/unit/drivers/balloon/port/vmware_world.c

# And memory that comes and goes beside them.
REGION_WORLD := tests/unit/drivers/balloon/region_world.c

# A whole machine: the balloon and all that is between it and a simulated bus.
SIM_MACHINE := $(BALLOON_SOURCES) kernel/lib/parse.c kernel/lib/wrap.c $(VIRTIO_PCI) $(VIRTQ) \
	$(PCI_TESTED) $(SIM) \
	$(addprefix tests/sim/,sim_balloon.c sim_virtio_pci.c sim_irq.c sim_ram.c) $(FRAME)

# Devices that lie, and the machine that they do it to.
LIES := $(filter-out tests/lies/main.c,$(wildcard tests/lies/*.c)) $(SIM_MACHINE)
# Allocations that fail stand in front of the allocator's.
WRAPPED := $(addprefix -Xlinker --wrap=,frame_alloc frame_alloc_bulk_within \
	frame_alloc_blocks_within frame_alloc_unreported)

# Courses of references, and which pages go on them.
REPLAY := $(addprefix tests/bench/,courses.c replay.c replay_peers.c) mm/replacement.c mm/bitset.c

BLOCK_TABLES := $(addprefix tests/unit/mm/,block_tables.c region_fixture.c)

MEM_FIXTURE := $(MEM_SOURCES) mm/memory_region.c \
	$(FRAME_FIXTURE) $(BLOCK_TABLES) $(SIM_TIME) $(EVENTS) tests/sim/sim_log.c \
	tests/unit/drivers/mem/mem_fixture.c

VIRTIO_MEM_FIXTURE := $(VIRTIO_MEM_SOURCES) $(VIRTQ) $(addprefix tests/sim/,sim_mem.c sim_virtio.c \
	sim_virtq.c) $(MEM_FIXTURE) tests/unit/drivers/mem/virtio_mem_fixture.c

# Disks, their tasks, and the devices' turns between those.
BLOCK_FIXTURE := $(BLOCK_SOURCES) $(VIRTQ) $(EVENTS) $(SIM_TASKS) $(addprefix tests/sim/,sim_blk.c \
	sim_virtio.c sim_virtq.c sim_log.c sim_frame.c) tests/unit/drivers/block/block_fixture.c

# What is mapped where is the simulation's in objects of these names.
SEES_FAKE_PCI := drivers/pci/% drivers/acpi/% tests/unit/drivers/pci/% \
	tests/unit/drivers/acpi/% tests/sim/sim_pci tests/sim/sim_acpi
$(foreach kind,unit coverage plain fuzz,$(SEES_FAKE_PCI:%=$(BUILD)/$(kind)/%.o)): \
	FAKES := -Itests/fake/pci

# ---- Unit tests: one program per source file, on the host, with sanitizers ----
#
# `tests/NAME := SOURCES` is the program $(BUILD)/tests/NAME: these sources and
# tests/unit/NAME_test.c. Other libraries than cmocka are in its LIBS.

tests/arch/x86_64/alarm_rate := arch/x86_64/alarm_rate.c
tests/arch/x86_64/gsi := arch/x86_64/gsi.c arch/x86_64/irq.c tests/sim/sim_log.c
tests/arch/x86_64/paging := arch/x86_64/paging.c
tests/arch/x86_64/paging_demand := arch/x86_64/paging_demand.c arch/x86_64/paging.c
TSC_RATE := $(addprefix arch/x86_64/,tsc_rate.c hypervisor.c xen_cpuid.c)
tests/arch/x86_64/tsc_measure := arch/x86_64/tsc_measure.c $(TSC_RATE)
tests/arch/x86_64/tsc_rate := $(TSC_RATE)
tests/arch/x86_64/vmware_cpuid := arch/x86_64/hypervisor.c
tests/arch/x86_64/xen_cpuid := arch/x86_64/xen_cpuid.c arch/x86_64/hypervisor.c
tests/arch/x86_64/hyperv_cpuid := arch/x86_64/hyperv_cpuid.c arch/x86_64/hypervisor.c
tests/arch/x86_64/xen_memory_map := arch/x86_64/xen_memory_map.c
tests/arch/x86_64/efi/cpu_needs := arch/x86_64/efi/cpu_needs.c
tests/arch/x86_64/efi/handover := arch/x86_64/efi/handover.c

tests/kernel/lib/elapsed := kernel/lib/elapsed.c
tests/kernel/lib/parse := kernel/lib/parse.c
tests/kernel/lib/wrap := kernel/lib/wrap.c kernel/lib/json.c
tests/kernel/lib/log := kernel/lib/log.c kernel/lib/escape.c kernel/lib/hooks.c
tests/kernel/lib/panic := kernel/lib/panic.c kernel/lib/hooks.c
tests/kernel/lib/events := $(EVENTS)
tests/kernel/events_print := kernel/events_print.c kernel/events_cmd.c kernel/lib/wrap.c \
	tests/sim/sim_command.c $(EVENTS)
tests/kernel/acpi_task := kernel/acpi_task.c tests/sim/sim_log.c
tests/kernel/xen_task := kernel/xen_task.c kernel/task/task_await.c tests/sim/sim_log.c
tests/kernel/audit_cmd := kernel/audit_cmd.c $(PRINT) tests/sim/sim_command.c $(SIM_TIME) \
	$(FRAME_FIXTURE)
tests/kernel/command_line := kernel/command_line.c
tests/kernel/option_words := kernel/option_words.c kernel/command_line.c tests/sim/sim_log.c
tests/kernel/options := kernel/options.c kernel/option_words.c drivers/balloon/balloon_settings.c \
	kernel/command_line.c kernel/lib/parse.c \
	tests/sim/sim_log.c
tests/kernel/vm/vm_fault := $(VM_FIXTURE)
tests/kernel/vm/vm_evict := $(VM_FIXTURE)
tests/kernel/vm/vm_reclaim := $(VM_FIXTURE)
tests/kernel/vm/vm_region := $(VM_FIXTURE)
tests/kernel/vm/vm := $(VM_FIXTURE)
tests/kernel/vm/vm_lockstep := $(VM_FIXTURE)
tests/kernel/vm/vm_random := $(VM_FIXTURE)
tests/kernel/course := kernel/course.c
tests/kernel/stress_page := kernel/stress_page.c
STRESS_FIXTURE := kernel/stress.c kernel/stress_page.c kernel/course.c $(SIM_TASKS) tests/sim/sim_log.c \
	tests/unit/kernel/fake_vm.c
tests/kernel/stress := $(STRESS_FIXTURE)
tests/kernel/stress_cmd := kernel/stress_cmd.c kernel/stress_words.c kernel/lib/parse.c kernel/lib/hooks.c \
	tests/sim/sim_command.c \
	tests/sim/sim_ram.c mm/memmap.c $(FRAME) $(STRESS_FIXTURE)
tests/kernel/hold := kernel/hold.c $(HOLD_FIXTURE)
tests/kernel/hold_cmd := kernel/hold_cmd.c kernel/hold.c kernel/hold_task.c kernel/lib/parse.c \
	tests/sim/sim_command.c $(HOLD_FIXTURE)
tests/kernel/hold_busy := kernel/hold.c kernel/hold_task.c $(HOLD_FIXTURE)
tests/kernel/poison_task := kernel/poison_task.c mm/poison.c tests/sim/sim_log.c $(HOLD_FIXTURE)
tests/kernel/mem_figures := kernel/mem_figures.c kernel/lib/wrap.c
tests/kernel/show_mem := kernel/show_mem.c kernel/mem_figures.c kernel/lib/wrap.c mm/owner.c mm/vm_events.c \
	tests/sim/sim_command.c
tests/kernel/pci_windows := kernel/pci_windows.c
tests/kernel/pressure := $(addprefix kernel/,pressure.c pressure_cmd.c readings.c situation.c) mm/psi.c \
	mm/vm_events.c tests/sim/sim_command.c tests/schema/schema.c $(SIM_TIME)
tests/kernel/readings := kernel/readings.c kernel/situation.c
tests/kernel/situation := kernel/situation.c
tests/kernel/heap_cmd := kernel/heap_cmd.c kernel/lib/parse.c tests/sim/sim_command.c $(SIM_TIME)
tests/kernel/line_edit := $(LINE_EDIT)
tests/kernel/console := kernel/console.c kernel/console_input.c tests/sim/sim_log.c
tests/kernel/console_input := kernel/console_input.c
tests/kernel/shell := $(SHELL_SOURCES) kernel/option_words.c tests/sim/sim_log.c

tests/kernel/task/task := kernel/task/task.c tests/sim/sim_panic.c
tests/kernel/task/task_await := $(SIM_TASKS)

tests/mm/bitset := mm/bitset.c
tests/mm/heap := mm/heap.c mm/owner.c $(SIM_PAGES)
tests/mm/stack := mm/stack.c mm/owner.c $(SIM_PAGES)
tests/mm/frame_spans := mm/frame_spans.c
tests/mm/psi := mm/psi.c
tests/mm/memmap := mm/memmap.c
tests/mm/memory := mm/memory.c mm/memmap.c tests/sim/sim_ram.c $(FRAME)
tests/mm/ledger := $(FRAME_FIXTURE)
tests/mm/frame := $(FRAME_FIXTURE)
tests/mm/frame_bulk := $(FRAME_FIXTURE)
tests/mm/frame_blocks := $(FRAME_FIXTURE)
tests/mm/frame_fill := $(FRAME_FIXTURE)
tests/mm/frame_huge := $(FRAME_FIXTURE)
tests/mm/frame_random := $(FRAME_FIXTURE)
tests/mm/page_record := mm/page_record.c $(FRAME_FIXTURE) tests/unit/mm/region_fixture.c
tests/mm/replacement := mm/replacement.c tests/unit/mm/replacement_fixture.c
tests/mm/replacement_ghost := $(tests/mm/replacement)
tests/mm/replacement_random := $(tests/mm/replacement)
tests/mm/memory_region := mm/memory_region.c $(FRAME_FIXTURE) $(BLOCK_TABLES) tests/sim/sim_log.c
tests/mm/frame_within := $(FRAME_FIXTURE) tests/unit/mm/region_fixture.c
tests/mm/frame_region := $(FRAME_FIXTURE) tests/unit/mm/region_fixture.c
tests/mm/frame_region_random := $(FRAME_FIXTURE) tests/unit/mm/region_fixture.c

tests/drivers/serial/debugcon := drivers/serial/debugcon.c
tests/drivers/serial/uart16550_find := drivers/serial/uart16550_find.c
tests/drivers/serial/uart16550 := drivers/serial/uart16550.c drivers/serial/uart16550_find.c \
	kernel/lib/elapsed.c $(EVENTS)

tests/drivers/xen/xen := drivers/xen/xen.c tests/sim/sim_xen.c
tests/drivers/xen/xen_check_cmd := drivers/xen/xen_check_cmd.c drivers/xen/xen.c \
	tests/sim/sim_xen.c tests/sim/sim_command.c $(HOLD_FIXTURE)
tests/drivers/xen/xen_events := drivers/xen/xen_events.c drivers/xen/xen.c \
	$(addprefix tests/sim/,sim_xen.c sim_irq.c)
tests/drivers/xen/xen_console := $(addprefix drivers/xen/,xen.c xen_events.c xen_console.c) \
	$(addprefix tests/sim/,sim_xen.c sim_irq.c) $(SIM_TIME)

tests/drivers/acpi/acpi := $(ACPI_TESTED)
tests/drivers/acpi/acpi_aml := $(ACPI_TESTED)
tests/drivers/acpi/acpi_power := $(ACPI_TESTED)
tests/drivers/acpi/acpi_device := $(ACPI_TESTED)
tests/drivers/acpi/acpi_name := $(ACPI_TESTED)
tests/drivers/acpi/acpi_memory := $(ACPI_TESTED)
tests/drivers/acpi/acpi_register := $(ACPI_TESTED)
tests/drivers/acpi/acpi_notify := $(ACPI_TESTED)

tests/drivers/pvpanic/pvpanic := drivers/pvpanic/pvpanic.c tests/sim/sim_log.c

tests/drivers/pci/pci_config := $(PCI_TESTED)
tests/drivers/pci/pci_scan := $(PCI_TESTED)
tests/drivers/pci/pci_roots := $(PCI_TESTED)
tests/drivers/pci/pci_bar := $(PCI_TESTED)
tests/drivers/pci/pci_bridge := $(PCI_TESTED)
tests/drivers/pci/pci_assign := $(PCI_TESTED)
tests/drivers/pci/pci_gap := $(PCI_TESTED)
tests/drivers/pci/pci_capability := $(PCI_TESTED)
tests/drivers/pci/pci_msix := drivers/pci/pci_msix.c $(PCI_TESTED)
tests/drivers/pci/pci_slot := $(addprefix drivers/pci/,pci_slot.c pci_slot_express.c \
	pci_slot_acpi.c) $(SIM_TIME) $(PCI_TESTED)
tests/drivers/pci/pci_cmd := drivers/pci/pci_cmd.c drivers/pci/pci_names.c \
	tests/sim/sim_command.c $(PRINT) $(PCI_TESTED)

tests/drivers/virtio/virtq := $(VIRTQ_FIXTURE)
tests/drivers/virtio/virtq_split := $(VIRTQ_FIXTURE)
tests/drivers/virtio/virtq_packed := $(VIRTQ_FIXTURE)
tests/drivers/virtio/virtq_order := $(VIRTQ_FIXTURE)
tests/drivers/virtio/virtio := $(VIRTQ) $(SIM_FRAMES)
tests/drivers/virtio/virtio_events := $(VIRTQ) $(SIM_FRAMES)
tests/drivers/virtio/virtio_feature_names := $(VIRTQ) $(SIM_FRAMES)
tests/drivers/virtio/virtio_pci := $(VIRTIO_PCI_FIXTURE)
tests/drivers/virtio/virtio_pci_modern := $(VIRTIO_PCI_FIXTURE)
tests/drivers/virtio/virtio_pci_irq := $(VIRTIO_PCI_FIXTURE)
tests/drivers/virtio/virtio_mmio := drivers/virtio/virtio_mmio.c \
	drivers/virtio/virtio_mmio_registers.c tests/sim/sim_bus.c $(VIRTQ) $(SIM_FRAMES) \
	tests/unit/drivers/virtio/virtio_fixture.c
tests/drivers/virtio/virtio_mmio_parse := drivers/virtio/virtio_mmio_parse.c kernel/lib/parse.c
tests/drivers/virtio/virtio_cmd := drivers/virtio/virtio_cmd.c tests/sim/sim_command.c $(PRINT) $(VIRTQ) \
	$(SIM_FRAMES)

FAKE_HYPERV := tests/unit/drivers/hyperv/hyperv_fixture.c
tests/drivers/hyperv/hyperv := drivers/hyperv/hyperv.c tests/sim/sim_frame.c $(FAKE_HYPERV)
tests/drivers/hyperv/synic := drivers/hyperv/synic.c $(SIM_TIME) \
	$(addprefix tests/sim/,sim_frame.c sim_irq.c) $(FAKE_HYPERV)
tests/drivers/hyperv/vmbus_channel := drivers/hyperv/vmbus_channel.c $(SIM_TIME)
VMBUS_OPEN := $(addprefix drivers/hyperv/vmbus_,open.c channel.c ring.c) $(SIM_TIME) \
	$(addprefix tests/sim/,sim_frame.c sim_log.c) tests/unit/drivers/hyperv/open_fixture.c
tests/drivers/hyperv/vmbus_open := $(VMBUS_OPEN)
tests/drivers/hyperv/vmbus_packets := $(VMBUS_OPEN)
tests/drivers/hyperv/dm := drivers/hyperv/dm.c $(SIM_TIME)
tests/drivers/hyperv/vmbus := $(VMBUS_SOURCES) $(SIM_TASKS) $(FRAME) $(HYPERV_HOST) \
	tests/hypervisor/host_frames.c arch/x86_64/hyperv_cpuid.c arch/x86_64/hypervisor.c \
	$(addprefix tests/sim/,sim_ram.c sim_irq.c sim_log.c sim_machine.c sim_hyperv.c) \
	tests/unit/drivers/hyperv/vmbus_fixture.c
tests/drivers/hyperv/vmbus_cmd := $(addprefix drivers/hyperv/vmbus_,cmd.c channel.c) $(SIM_TIME) \
	tests/sim/sim_command.c $(FAKE_HYPERV)
tests/drivers/hyperv/vmbus_message := drivers/hyperv/vmbus_message.c $(SIM_TIME) tests/sim/sim_log.c
tests/drivers/hyperv/vmbus_ring := drivers/hyperv/vmbus_ring.c
tests/drivers/hyperv/vmbus_ring_race := drivers/hyperv/vmbus_ring.c

tests/drivers/xen/xen_map := drivers/xen/xen_map.c tests/sim/sim_paging.c
tests/drivers/xen/xen_stamps := $(XEN_WORLD)
tests/drivers/xen/xenstore := $(XENSTORE_FIXTURE)
tests/drivers/xen/xenstore_lies := $(XENSTORE_FIXTURE)
tests/drivers/xen/xenstore_cmd := drivers/xen/xenstore_cmd.c kernel/lib/escape.c \
	kernel/lib/json.c tests/sim/sim_command.c tests/schema/schema.c $(XENSTORE_FIXTURE)

tests/drivers/balloon/balloon := $(BALLOON_FIXTURE)
tests/drivers/balloon/balloon_recovery := $(BALLOON_FIXTURE)
tests/drivers/balloon/balloon_account := $(BALLOON_FIXTURE)
tests/drivers/balloon/balloon_batch := $(BALLOON_FIXTURE)
tests/drivers/balloon/balloon_cmd := $(BALLOON_CMD) $(HOST_FIXTURE)
tests/drivers/balloon/balloon_wait_cmd := drivers/balloon/balloon_wait_cmd.c \
	kernel/lib/parse.c $(EVENTS) $(SIM_TIME)
tests/drivers/balloon/balloon_events := $(HOST_FIXTURE)
tests/drivers/balloon/balloon_free := $(BALLOON_FIXTURE)
tests/drivers/balloon/balloon_offer := $(BALLOON_FIXTURE)
tests/drivers/balloon/balloon_pair := $(PORTS_FIXTURE) $(REGION_WORLD) $(BALLOON_CMD)
tests/drivers/balloon/balloon_place := $(HOST_FIXTURE) $(REGION_WORLD)
tests/drivers/balloon/balloon_port := $(HOST_FIXTURE)
tests/drivers/balloon/balloon_ports := $(PORTS_FIXTURE)
tests/drivers/balloon/balloon_ports_random := $(PORTS_FIXTURE) $(XEN_BALLOON_FIXTURE) \
	$(addprefix tests/unit/drivers/balloon/,random_guest.c random_hosts.c random_xen.c)
tests/drivers/balloon/balloon_ranges := $(BALLOON_FIXTURE)
tests/drivers/balloon/balloon_reclaim := $(BALLOON_FIXTURE)
tests/drivers/balloon/balloon_refusal := $(HOST_FIXTURE)
tests/drivers/balloon/balloon_settings := $(BALLOON_FIXTURE)
tests/drivers/balloon/balloon_state := $(BALLOON_FIXTURE)
tests/drivers/balloon/balloon_stats := $(BALLOON_FIXTURE)
tests/drivers/balloon/balloon_vacate := $(HOST_FIXTURE) $(REGION_WORLD)
tests/drivers/balloon/balloon_vacate_random := $(PORTS_FIXTURE) $(REGION_WORLD) \
	$(addprefix tests/unit/drivers/balloon/,random_guest.c random_hosts.c)
tests/drivers/balloon/balloon_wait := $(BALLOON_FIXTURE)
tests/drivers/balloon/port/virtio_balloon := $(BALLOON_FIXTURE)
tests/drivers/balloon/port/virtio_balloon_cmd := drivers/balloon/port/virtio_balloon_cmd.c \
	tests/sim/sim_command.c $(VIRTQ) $(SIM_FRAMES)
tests/drivers/balloon/port/virtio_balloon_hint := $(BALLOON_FIXTURE)
tests/drivers/balloon/port/virtio_balloon_pages := $(BALLOON_FIXTURE)
tests/drivers/balloon/port/virtio_balloon_report := $(BALLOON_FIXTURE)
tests/drivers/balloon/port/virtio_balloon_stats := $(BALLOON_FIXTURE)

tests/drivers/balloon/port/xen_balloon := $(XEN_BALLOON_FIXTURE)
tests/drivers/balloon/port/xen_balloon_pages := $(XEN_BALLOON_FIXTURE)
tests/drivers/balloon/port/xen_lies := $(XEN_WORLD)
tests/drivers/balloon/port/xen_balloon_cmd := drivers/balloon/port/xen_balloon_cmd.c \
	$(BALLOON_CMD) tests/schema/schema.c $(XEN_BALLOON_FIXTURE)

tests/drivers/balloon/port/hyperv_balloon := $(HYPERV_WORLD)
tests/drivers/balloon/port/hyperv_lies := $(HYPERV_WORLD)
tests/drivers/balloon/port/hyperv_balloon_cmd := drivers/balloon/port/hyperv_balloon_cmd.c \
	drivers/hyperv/vmbus_cmd.c tests/sim/sim_command.c tests/schema/schema.c $(HYPERV_WORLD)

tests/drivers/balloon/port/vmware_balloon := $(VMWARE_BALLOON_FIXTURE)
tests/drivers/balloon/port/vmware_balloon_pages := $(VMWARE_BALLOON_FIXTURE)
tests/drivers/balloon/port/vmware_lies := $(VMWARE_WORLD) \
	tests/unit/drivers/balloon/port/vmware_lies.c
tests/drivers/balloon/port/vmware_balloon_cmd := drivers/balloon/port/vmware_balloon_cmd.c \
	$(BALLOON_CMD) tests/schema/schema.c $(VMWARE_BALLOON_FIXTURE)

tests/drivers/mem/mem_source := $(MEM_FIXTURE)
tests/drivers/mem/mem_leave := $(MEM_FIXTURE)
tests/drivers/mem/virtio_mem := $(VIRTIO_MEM_FIXTURE)
tests/drivers/mem/virtio_mem_work := $(VIRTIO_MEM_FIXTURE)
tests/drivers/mem/virtio_mem_audit := $(VIRTIO_MEM_FIXTURE)
tests/drivers/mem/virtio_mem_request := $(VIRTIO_MEM_FIXTURE)
tests/drivers/mem/virtio_mem_recovery := $(VIRTIO_MEM_FIXTURE)
tests/drivers/mem/virtio_mem_lies := $(VIRTIO_MEM_FIXTURE) tests/unit/drivers/mem/virtio_mem_lies.c

tests/drivers/block/virtio_blk := $(BLOCK_FIXTURE)
tests/drivers/block/block_rate := drivers/block/block_rate.c
tests/drivers/block/block_request := $(BLOCK_FIXTURE)
tests/drivers/block/block := $(BLOCK_FIXTURE)
tests/drivers/block/block_lies := $(BLOCK_FIXTURE) tests/unit/drivers/block/block_lies.c
tests/drivers/block/block_cmd := drivers/block/block_cmd.c kernel/lib/json.c kernel/lib/parse.c \
	tests/sim/sim_command.c tests/schema/schema.c $(BLOCK_FIXTURE)

tests/drivers/mem/dimm := $(DIMM_SOURCES) kernel/lib/parse.c $(MEM_FIXTURE)
tests/drivers/mem/hyperv_mem := drivers/mem/hyperv_mem.c kernel/lib/parse.c $(MEM_FIXTURE)
tests/drivers/mem/mem_cmd := drivers/mem/mem_cmd.c kernel/lib/parse.c $(PRINT) \
	tests/sim/sim_command.c $(MEM_FIXTURE)

tests/hypervisor/hyperv := $(HYPERV_FIXTURE)
tests/hypervisor/hyperv_ask := $(HYPERV_FIXTURE)
tests/hypervisor/hyperv_channel := $(HYPERV_FIXTURE)
tests/hypervisor/hyperv_dm := $(HYPERV_FIXTURE)
tests/hypervisor/hyperv_gpadl := $(HYPERV_FIXTURE)
tests/hypervisor/hyperv_random := $(HYPERV_FIXTURE)
tests/hypervisor/hyperv_ranges := $(HYPERV_FIXTURE)
tests/hypervisor/hyperv_ring := $(HYPERV_FIXTURE)
tests/hypervisor/hyperv_synic := $(HYPERV_FIXTURE)
tests/hypervisor/hyperv_vmbus := $(HYPERV_FIXTURE)

tests/sim/sim_balloon := tests/sim/sim_balloon.c $(VIRTQ) $(SIM_FRAMES)

# The hypervisor that runs inside QEMU, as far as it is no machine's.
tests/hypervisor/host_frames := tests/hypervisor/host_frames.c
tests/hypervisor/vmware := $(SIM_VMWARE) $(HOLD_FIXTURE)
tests/hypervisor/memory_map := tests/hypervisor/memory_map.c
tests/hypervisor/load := tests/hypervisor/load.c
tests/hypervisor/npt := tests/hypervisor/npt.c tests/hypervisor/pool.c
tests/hypervisor/interrupts := tests/hypervisor/interrupts.c
tests/hypervisor/virtual := tests/hypervisor/virtual.c

tests/tools/hypervisor := tools/hypervisor.c
tests/tools/qmp := $(QMP_SOURCES)
tests/tools/qmp_calls := $(QMP_SOURCES) tests/unit/tools/failing.c
tests/tools/vm := $(QMP_SOURCES) tools/vm.c tools/vm_start.c tests/unit/tools/failing.c
tests/tools/json_member := tools/json_member.c
tests/tools/show_mem := tools/show_mem.c
tests/tools/svg_plot := $(SVG_SOURCES)
tests/tools/svg_scale := $(SVG_SOURCES)
tests/tools/svg_picture := $(SVG_SOURCES)
tests/tools/core := tools/core.c tests/unit/tools/core_file.c
# Without mm/frame_runs.c, which FRAME has.
tests/tools/frame_dump := $(filter-out mm/%,$(DUMP_SOURCES)) $(FRAME_FIXTURE) \
	mm/frame_dump.c kernel/dump.c $(addprefix tests/unit/tools/,core_file.c dumped_balloon.c \
	opened_dump.c)
tests/tools/frame_dump_region := $(tests/tools/frame_dump) tests/unit/mm/region_fixture.c
tests/tools/events_dump := $(DUMP_SOURCES) kernel/dump.c mm/vm_events.c tests/unit/tools/core_file.c

BALLOONCTL_TESTED := $(BALLOONCTL_SOURCES) tests/unit/tools/balloonctl/fake_qemu.c \
	tests/schema/schema.c
tests/tools/balloonctl/list := $(BALLOONCTL_TESTED)
tests/tools/balloonctl/command := $(BALLOONCTL_TESTED)
tests/tools/balloonctl/deadline := $(BALLOONCTL_TESTED)
tests/tools/balloonctl/guest_thread := $(BALLOONCTL_TESTED) tests/unit/tools/locks.c
tests/tools/balloonctl/dump := $(BALLOONCTL_TESTED) tests/unit/tools/core_file.c
tests/tools/balloonctl/guest_libvirt := $(BALLOONCTL_TESTED)
tests/tools/balloonctl/live := $(BALLOONCTL_TESTED) $(FRAME_FIXTURE) mm/frame_dump.c kernel/dump.c \
	$(addprefix tests/unit/,tools/dumped_balloon.c mm/region_fixture.c)
tests/tools/balloonctl/guest_situation := $(BALLOONCTL_TESTED)
tests/tools/balloonctl/size := $(BALLOONCTL_TESTED)
tests/tools/balloonctl/grow_plan := tools/balloonctl/grow_plan.c
tests/tools/balloonctl/grow := $(BALLOONCTL_TESTED)
tests/tools/balloonctl/guest_qmp_devices := $(BALLOONCTL_TESTED)
tests/tools/balloonctl/guest_qmp_hypervisor := $(BALLOONCTL_TESTED)
tests/tools/balloonctl/guest_libvirt_xml := $(BALLOONCTL_TESTED)
tests/tools/balloonctl/replace_file := $(BALLOONCTL_TESTED) tests/unit/tools/failing.c
tests/tools/balloonctl/thread := $(BALLOONCTL_TESTED) tests/unit/tools/failing.c
tests/tools/balloonctl/answers := $(BALLOONCTL_TESTED)
tests/tools/balloonctl/looks := $(BALLOONCTL_TESTED)
tests/tools/balloonctl/clock := $(BALLOONCTL_TESTED)
tests/tools/balloonctl/history := $(BALLOONCTL_TESTED)
tests/tools/balloonctl/grid := $(BALLOONCTL_TESTED) tests/unit/tools/failing.c
tests/tools/balloonctl/course := $(BALLOONCTL_TESTED) tests/unit/tools/failing.c
tests/tools/balloonctl/poller_clock := $(BALLOONCTL_TESTED) tests/unit/tools/failing.c
tests/tools/balloonctl/looks_clock := $(BALLOONCTL_TESTED) tests/unit/tools/failing.c \
	tests/unit/tools/balloonctl/fake_pollers.c
tests/tools/balloonctl/growth_shows := $(BALLOONCTL_TESTED) \
	tests/unit/tools/balloonctl/fake_pollers.c
tests/tools/balloonctl/watch_clock := $(BALLOONCTL_TESTED) tests/unit/tools/failing.c \
	tests/unit/tools/balloonctl/fake_pollers.c
tests/tools/balloonctl/live_clock := $(BALLOONCTL_TESTED) tests/unit/tools/failing.c
tests/tools/balloonctl/listen := $(BALLOONCTL_TESTED) $(addprefix tests/unit/tools/,failing.c locks.c)
ifneq ($(LIBVIRT),)
tests/tools/balloonctl/libvirt_calls := $(BALLOONCTL_TESTED) tests/unit/tools/failing.c
endif
tests/tools/balloonctl/dump_shows := $(BALLOONCTL_TESTED) $(FRAME_FIXTURE) mm/frame_dump.c \
	kernel/dump.c $(addprefix tests/unit/tools/,core_file.c failing.c dumped_balloon.c)
tests/tools/balloonctl/amount := $(BALLOONCTL_TESTED)
tests/tools/balloonctl/guest_find := $(BALLOONCTL_TESTED)
tests/tools/balloonctl/guest_qmp := $(BALLOONCTL_TESTED)
tests/tools/balloonctl/set := $(BALLOONCTL_TESTED)
tests/tools/balloonctl/progress := $(BALLOONCTL_TESTED)
tests/tools/balloonctl/progress_shows := $(BALLOONCTL_TESTED) \
	tests/unit/tools/balloonctl/screen.c
tests/tools/balloonctl/status := $(BALLOONCTL_TESTED)
tests/tools/balloonctl/watch_draw := $(BALLOONCTL_TESTED)
tests/tools/balloonctl/watch := $(BALLOONCTL_TESTED) tests/unit/tools/balloonctl/screen.c \
	tests/unit/tools/failing.c
tests/tools/balloonctl/poller := $(BALLOONCTL_TESTED) tests/unit/tools/locks.c
tests/tools/balloonctl/record := $(BALLOONCTL_TESTED)
tests/tools/balloonctl/json := $(BALLOONCTL_TESTED)
tests/tools/balloonctl/export := $(BALLOONCTL_TESTED) tests/unit/tools/locks.c

tests/tools/balloonctl/failing := $(BALLOONCTL_TESTED) tests/unit/tools/failing.c
# What tests/unit/tools/failing.c stands in front of.
FAILING := $(addprefix -Xlinker --wrap=,malloc calloc realloc strdup strndup asprintf \
	open_memstream json_tokener_new_ex MHD_create_response_from_buffer pthread_create fopen \
	fdopen opendir memfd_create stat mkstemp fchmod rename fstat pread socket setsockopt getsockopt connect \
	poll recv send elf_begin)

# And tests/unit/tools/locks.c.
LOCKS := $(addprefix -Xlinker --wrap=pthread_,mutex_lock mutex_unlock mutex_destroy cond_wait \
	cond_timedwait)

tests/docs/lines := tests/docs/lines.c

tests/bench/buddy := tests/bench/buddy.c
tests/bench/replay := $(REPLAY)
tests/bench/samples := tests/bench/samples.c
tests/bench/trace := tests/bench/trace.c

# Where the programs lie: with sanitizers, with coverage, with neither (for mutants).
RUNS := $(BUILD)/tests $(BUILD)/coverage/run $(BUILD)/plain/run

$(addsuffix /tools/qmp,$(RUNS)) $(addsuffix /tools/json_member,$(RUNS)): LIBS := -ljson-c
$(addsuffix /tools/qmp_calls,$(RUNS)) $(addsuffix /tools/vm,$(RUNS)): \
	LIBS := -ljson-c -lelf -lmicrohttpd $(FAILING)
$(foreach name,tools/svg_plot tools/svg_scale tools/svg_picture bench/samples bench/replay, \
	$(addsuffix /$(name),$(RUNS))): LIBS := -lm
$(addsuffix /tools/core,$(RUNS)): LIBS := -lelf -Xlinker --wrap=pread
$(addsuffix /tools/frame_dump,$(RUNS)): LIBS := -lelf
$(addsuffix /tools/frame_dump_region,$(RUNS)): LIBS := -lelf
$(addsuffix /tools/events_dump,$(RUNS)): LIBS := -lelf -ljson-c
$(addsuffix /drivers/balloon/port/xen_balloon_cmd,$(RUNS)): LIBS := -ljson-c
$(addsuffix /drivers/balloon/port/vmware_balloon_cmd,$(RUNS)): LIBS := -ljson-c
$(addsuffix /drivers/balloon/port/hyperv_balloon_cmd,$(RUNS)): LIBS := -ljson-c
$(addsuffix /drivers/block/block_cmd,$(RUNS)): LIBS := -ljson-c
$(addsuffix /drivers/xen/xenstore_cmd,$(RUNS)): LIBS := -ljson-c
$(addsuffix /kernel/pressure,$(RUNS)): LIBS := -ljson-c
$(addsuffix /tools/balloonctl/%,$(RUNS)): LIBS := $(BALLOONCTL_LIBS) $(if $(LIBVIRT),-lvirt)
$(foreach name,guest_thread poller export, \
	$(addsuffix /tools/balloonctl/$(name),$(RUNS))): LIBS := $(BALLOONCTL_LIBS) \
	$(if $(LIBVIRT),-lvirt) $(LOCKS)
$(addsuffix /tools/balloonctl/clock,$(RUNS)): LIBS := $(BALLOONCTL_LIBS) \
	$(if $(LIBVIRT),-lvirt) $(addprefix -Xlinker --wrap=,clock_gettime nanosleep time)
$(addsuffix /tools/balloonctl/live_clock,$(RUNS)): LIBS := $(BALLOONCTL_LIBS) \
	$(if $(LIBVIRT),-lvirt) $(addprefix -Xlinker --wrap=,clock_gettime nanosleep raise) $(FAILING)
$(addsuffix /tools/balloonctl/listen,$(RUNS)): LIBS := $(BALLOONCTL_LIBS) \
	$(if $(LIBVIRT),-lvirt) $(FAILING) $(LOCKS)
# What tests/unit/tools/balloonctl/fake_pollers.c stands in front of.
FAKE_POLLERS := $(addprefix -Xlinker --wrap=,clock_gettime nanosleep guest_open guest_list \
	poller_start poller_name poller_latest poller_wait poller_ask_stop poller_stop)
$(addsuffix /tools/balloonctl/looks_clock,$(RUNS)): LIBS := $(BALLOONCTL_LIBS) \
	$(if $(LIBVIRT),-lvirt) $(FAKE_POLLERS) $(FAILING)
$(addsuffix /tools/balloonctl/growth_shows,$(RUNS)): LIBS := $(BALLOONCTL_LIBS) \
	$(if $(LIBVIRT),-lvirt) $(FAKE_POLLERS)
$(addsuffix /tools/balloonctl/watch_clock,$(RUNS)): LIBS := $(BALLOONCTL_LIBS) \
	$(if $(LIBVIRT),-lvirt) $(FAKE_POLLERS) $(FAILING) \
	$(addprefix -Xlinker --wrap=,watch_terminal_start watch_terminal_show wgetch endwin clearok)
$(addsuffix /tools/balloonctl/poller_clock,$(RUNS)): LIBS := $(BALLOONCTL_LIBS) \
	$(if $(LIBVIRT),-lvirt) \
	$(addprefix -Xlinker --wrap=,clock_gettime guest_open pthread_cond_init \
	pthread_cond_broadcast pthread_cond_timedwait) $(FAILING)
$(addsuffix /tools/balloonctl/set,$(RUNS)): LIBS := $(BALLOONCTL_LIBS) \
	$(if $(LIBVIRT),-lvirt) -Xlinker --wrap=raise
$(foreach name,course dump_shows failing grid libvirt_calls replace_file thread watch, \
	$(addsuffix /tools/balloonctl/$(name),$(RUNS))): LIBS := $(BALLOONCTL_LIBS) \
	$(if $(LIBVIRT),-lvirt) $(FAILING)
$(addsuffix /lies,$(RUNS)): LIBS := $(WRAPPED)
$(addsuffix /kernel/heap_cmd,$(RUNS)): LIBS := $(addprefix -Xlinker --wrap=,malloc free)

# Every NAME of the above, and one program for all devices that lie.
UNIT_NAMES := $(sort $(patsubst tests/%,%,$(filter tests/%,$(.VARIABLES))))
UNIT_TESTS := $(UNIT_NAMES:%=$(BUILD)/tests/%) $(BUILD)/tests/lies $(BUILD)/tests/porting

CFLAGS_UNIT := -std=gnu11 -D_GNU_SOURCE -g -fno-omit-frame-pointer $(WARNINGS) -Wconversion \
	$(CMOCKA) $(VERSION_FLAGS)
CFLAGS_TEST := $(CFLAGS_UNIT) -O1 -fsanitize=address,undefined -fno-sanitize-recover=all

$(BUILD)/unit/flags: FLAGS = $(HOSTCC) $(CFLAGS_TEST)
$(BUILD)/unit/flags: | $(call needs,host tools test)

$(BUILD)/unit/%.o: %.c $(BUILD)/unit/flags
	@mkdir -p $(@D)
	$(call say,CC)$(HOSTCC) $(CFLAGS_TEST) $(FAKES) -Itests/fake -I. -MMD -MP -c -o $@ $<

# $(call objects,FOLDER,SOURCES), and those of a unit test by its NAME: the names
# of the latter's sources are known only when the rule's stem is.
objects = $(patsubst %.c,$(BUILD)/$(1)/%.o,$(sort $(2)))
unit_objects = $(call objects,$(1),tests/unit/$(2)_test.c $(tests/$(2)))

.SECONDEXPANSION:

$(UNIT_NAMES:%=$(BUILD)/tests/%): $(BUILD)/tests/%: $$(call unit_objects,unit,$$*)
	@mkdir -p $(@D)
	$(call say,LD)$(HOSTCC) $(CFLAGS_TEST) -o $@ $^ -lcmocka $(LIBS)

$(BUILD)/tests/lies: $(call objects,unit,tests/lies/main.c $(LIES))
	@mkdir -p $(@D)
	$(call say,LD)$(HOSTCC) $(CFLAGS_TEST) -o $@ $^ $(LIBS) -lcmocka

# The drivers in a kernel that is not this one: what docs/porting.md promises. Nothing
# of tests/sim or tests/fake; its headers of instructions stand in front of arch/'s.
PORTED_SOURCES := mm/memmap.c $(FRAME) $(VIRTQ) drivers/virtio/virtio_mmio.c \
	drivers/virtio/virtio_mmio_registers.c $(BALLOON_SOURCES) kernel/lib/parse.c kernel/lib/wrap.c \
	kernel/lib/elapsed.c $(EVENTS)

$(BUILD)/porting/%.o: %.c $(BUILD)/unit/flags
	@mkdir -p $(@D)
	$(call say,CC)$(HOSTCC) $(CFLAGS_TEST) -Itests/porting -I. -MMD -MP -c -o $@ $<

$(BUILD)/tests/porting: $(call objects,porting,$(wildcard tests/porting/*.c) $(PORTED_SOURCES))
	@mkdir -p $(@D)
	$(call say,LD)$(HOSTCC) $(CFLAGS_TEST) -o $@ $^ -pthread

# The words of TESTS, not as names of files.
PATTERNS := $(foreach word,$(TESTS),'$(word)')

# Those whose NAME is like one of them, or all.
UNIT_WANTED := $(if $(TESTS),$(sort $(shell for name in $(UNIT_NAMES) lies porting; do \
	for like in $(PATTERNS); do \
	case $$name in ($$like) echo $(BUILD)/tests/$$name;; esac; done; done)),$(UNIT_TESTS))

.PHONY: test-unit
test-unit: $(UNIT_WANTED)
	@tests/unit/run.sh $(BUILD)/log/$@ $(BUILD)/tests $^

# ---- Coverage: which branches of the allocator and the drivers the unit tests take ----
#
# Less than 90 % of the branches of any of them is a failure; docs/coverage.md has the gaps.
# An assertion that holds has a branch that nothing takes: lines that are one do not count.

COVERED := mm drivers/pci drivers/virtio drivers/balloon drivers/mem drivers/block drivers/xen drivers/hyperv
COVERING := $(filter mm/% drivers/%,$(UNIT_NAMES))
CFLAGS_COVERAGE := $(CFLAGS_UNIT) -O0 --coverage
# The option that counts branches has had two names.
GCOVR_BRANCHES = $(if $(shell gcovr --help | grep txt-metric),--txt-metric branch,-b)
GCOVR = gcovr -r . $(BUILD)/coverage $(GCOVR_BRANCHES) --exclude-branches-by-pattern '\s*assert\('

$(BUILD)/coverage/flags: FLAGS = $(HOSTCC) $(CFLAGS_COVERAGE)
$(BUILD)/coverage/flags: | $(call needs,host test)

$(BUILD)/coverage/%.o: %.c $(BUILD)/coverage/flags
	@mkdir -p $(@D)
	$(call say,CC)$(HOSTCC) $(CFLAGS_COVERAGE) $(FAKES) -Itests/fake -I. -MMD -MP -c -o $@ $<

$(UNIT_NAMES:%=$(BUILD)/coverage/run/%): $(BUILD)/coverage/run/%: \
		$$(call unit_objects,coverage,$$*)
	@mkdir -p $(@D)
	$(call say,LD)$(HOSTCC) $(CFLAGS_COVERAGE) -o $@ $^ -lcmocka $(LIBS)

$(BUILD)/coverage/run/lies: $(call objects,coverage,tests/lies/main.c $(LIES))
	@mkdir -p $(@D)
	$(call say,LD)$(HOSTCC) $(CFLAGS_COVERAGE) -o $@ $^ $(LIBS) -lcmocka

# What earlier runs counted is forgotten: their sources may be others.
.PHONY: coverage
coverage: $(COVERING:%=$(BUILD)/coverage/run/%) $(BUILD)/coverage/run/lies \
		| $(call needs,coverage)
	@find $(BUILD)/coverage -name '*.gcda' -delete
	@tests/unit/run.sh $(BUILD)/log/$@ $(BUILD)/coverage/run $^ >$(BUILD)/coverage/log 2>&1 || \
		{ cat $(BUILD)/coverage/log; exit 1; }
	@short=; for d in $(COVERED); do \
		$(GCOVR) --filter "$$d/" --fail-under-branch 90 || short="$$short $$d"; done; \
	if [ -n "$$short" ]; then echo "coverage: FAILED: below 90 % of branches:$$short"; exit 1; fi; \
	echo "coverage: at least 90 % of the branches of each of $(COVERED)"

# ---- Fuzzing: libFuzzer, so clang, with the sanitizers of the unit tests ----
#
# `fuzz/NAME := SOURCES` is the target $(BUILD)/fuzz/NAME: these sources and
# tests/fuzz/NAME_fuzz.c. Seeds lie in tests/fuzz/seeds/NAME; what a run finds
# interesting is kept in $(BUILD)/fuzz/NAME.corpus for the next one, and what
# makes it fail beside it.

fuzz/core := $(DUMP_SOURCES)
fuzz/qmp := $(QMP_SOURCES)
fuzz/boot := mm/memory.c mm/memmap.c arch/x86_64/efi/handover.c $(FRAME)
fuzz/acpi := $(ACPI_TESTED)
fuzz/pci := $(PCI_TESTED) $(VIRTIO_PCI) tests/sim/sim_irq.c $(VIRTQ) $(SIM_FRAMES)
fuzz/split_ring := tests/fuzz/ring.c $(VIRTQ) $(SIM_FRAMES)
fuzz/packed_ring := tests/fuzz/ring.c $(VIRTQ) $(SIM_FRAMES)
fuzz/balloon := $(LIES)
fuzz/virtio_mem := $(VIRTIO_MEM_FIXTURE) tests/unit/drivers/mem/virtio_mem_lies.c
fuzz/block := $(BLOCK_FIXTURE) tests/unit/drivers/block/block_lies.c
fuzz/xenstore := $(XENSTORE_FIXTURE)
fuzz/xen := $(XEN_WORLD)
fuzz/vmware := $(VMWARE_WORLD)
fuzz/vmbus := drivers/hyperv/vmbus_ring.c
fuzz/hyperv := $(HYPERV_WORLD)
fuzz/course := kernel/course.c
fuzz/line := $(SHELL_SOURCES) kernel/option_words.c tests/sim/sim_log.c
fuzz/command_line := kernel/command_line.c kernel/lib/parse.c \
	drivers/virtio/virtio_mmio_parse.c

$(BUILD)/fuzz/core: LIBS := -lelf
$(BUILD)/fuzz/qmp: LIBS := -ljson-c
$(BUILD)/fuzz/balloon: LIBS := $(WRAPPED) -lcmocka
$(BUILD)/fuzz/virtio_mem: LIBS := -lcmocka
$(BUILD)/fuzz/block: LIBS := -lcmocka

FUZZERS := $(sort $(patsubst fuzz/%,%,$(filter fuzz/%,$(.VARIABLES))))
FUZZ_CC := clang
CFLAGS_FUZZ := $(CFLAGS_TEST) -O2
# libFuzzer is told what an input reaches in the product, not which branches a
# simulated device or a check takes: that would be most of the time. What is compared
# is told, too, so that it may come up in inputs; but not by the allocator, the audit
# and the balloon's core, which compare thousands of frames, and none with any input.
FUZZ_FEEDBACK := -fsanitize=fuzzer-no-link
FUZZ_NO_COMPARES := -fno-sanitize-coverage=trace-cmp
$(BUILD)/fuzz/tests/%.o: FUZZ_FEEDBACK :=
$(addprefix $(BUILD)/fuzz/,mm/frame.o mm/frame_%.o mm/bitset.o mm/ledger.o drivers/balloon/%.o): \
	FUZZ_FEEDBACK += $(FUZZ_NO_COMPARES)

$(BUILD)/fuzz/flags: FLAGS = $(FUZZ_CC) $(CFLAGS_FUZZ) $(FUZZ_FEEDBACK) $(FUZZ_NO_COMPARES)
$(BUILD)/fuzz/flags: | $(call needs,host tools test fuzz)

$(BUILD)/fuzz/%.o: %.c $(BUILD)/fuzz/flags
	@mkdir -p $(@D)
	$(call say,CC)$(FUZZ_CC) $(CFLAGS_FUZZ) $(FUZZ_FEEDBACK) $(FAKES) -Itests/fake -I. \
		-MMD -MP -c -o $@ $<

$(FUZZERS:%=$(BUILD)/fuzz/%): $(BUILD)/fuzz/%: \
		$$(call objects,fuzz,tests/fuzz/$$*_fuzz.c $$(fuzz/$$*))
	$(call say,LD)$(FUZZ_CC) $(CFLAGS_FUZZ) -fsanitize=fuzzer -o $@ $^ $(LIBS)

# make fuzz TIME=600 FUZZ=core: seconds for each, and which of them; two at a time.
TIME ?= 40
FUZZ ?= $(FUZZERS)
FUZZ_FINDS := keep

.PHONY: fuzz fuzz-short
fuzz: $(addprefix $(BUILD)/fuzz/,$(FUZZ))
	@$(alone) tests/fuzz/run.sh $(BUILD)/fuzz $(TIME) $(FUZZ_FINDS) $(FUZZ)

# From the seeds alone: to read all that was ever found takes longer.
fuzz-short: TIME := 2
fuzz-short: FUZZ_FINDS := forget
fuzz-short: fuzz

# ---- Mutants: small faults, each of which a unit test must notice ----
#
# A fault is compiled and linked into the programs that run its lines, without sanitizers
# first. For that each program leaves in $(BUILD)/plain/run/NAME.link what it is linked
# from, each object in FILE.fakes what it sees of tests/fake, and $(BUILD)/plain/seen/NAME
# has the lines that the program runs.

MUTATED := mm drivers kernel tools
CFLAGS_PLAIN := $(filter-out -g -Wconversion,$(CFLAGS_UNIT)) -Wno-maybe-uninitialized -O1

$(BUILD)/plain/flags: FLAGS = $(HOSTCC) $(CFLAGS_PLAIN)
$(BUILD)/plain/flags: | $(call needs,host tools test)

$(BUILD)/plain/%.o: %.c $(BUILD)/plain/flags
	@mkdir -p $(@D)
	$(call say,CC)$(HOSTCC) $(CFLAGS_PLAIN) $(FAKES) -Itests/fake -I. -MMD -MP -c -o $@ $<
	@echo '$(FAKES)' > $(@:.o=.fakes)

PLAIN_LINK = mkdir -p $(@D) && printf '%s\n' '$^' '-lcmocka $(LIBS)' > $@.link && \
	$(HOSTCC) -o $@ $^ -lcmocka $(LIBS)

$(UNIT_NAMES:%=$(BUILD)/plain/run/%): $(BUILD)/plain/run/%: $$(call unit_objects,plain,$$*)
	$(call say,LD)$(PLAIN_LINK)

$(BUILD)/plain/run/lies: $(call objects,plain,tests/lies/main.c $(LIES))
	$(call say,LD)$(PLAIN_LINK)

MUTANT_PROGRAMS := $(UNIT_NAMES) lies

$(MUTANT_PROGRAMS:%=$(BUILD)/plain/seen/%): $(BUILD)/plain/seen/%: $(BUILD)/plain/run/% \
		$(BUILD)/coverage/run/% tests/mutants/see.sh tests/mutants/limits.sh
	@mkdir -p $(@D)
	$(call say,RUN)tests/mutants/see.sh $(BUILD) $* '$(MUTATED)' > $@

.PHONY: mutants mutants-built check-mutants
mutants-built: $(MUTANT_PROGRAMS:%=$(BUILD)/plain/seen/%) $(UNIT_TESTS)

# make mutants SEED=2 DRAW=50 IN=mm: so many by rule, of these files; FAULTS='*packed*':
# those of the list whose names match. Without IN and FAULTS it is both.
SEED ?= 1
DRAW ?= 150

# Flags for a variable of the shell, which takes a quote in it as it is.
unquoted = $(subst \",",$(1))

mutants: | $(call needs,host tools test)
	@mkdir -p $(BUILD)
	@HOSTCC='$(HOSTCC)' PLAIN='$(call unquoted,$(CFLAGS_PLAIN))' BUILD='$(BUILD)' \
		SANITIZED='$(call unquoted,$(CFLAGS_TEST))' \
		MUTATED='$(MUTATED)' SEED='$(SEED)' DRAW='$(DRAW)' IN='$(IN)' FAULTS='$(FAULTS)' \
		$(alone) tests/mutants/run.sh

check-mutants:
	@tests/mutants/lists.sh
	@tests/mutants/selftest.sh

# ---- The protocol's model, all of its states, and the faults planted in it ----

.PHONY: model
model: | $(call needs,model)
	@mkdir -p $(BUILD)
	@$(alone) tests/model/check.sh $(BUILD)/model

# ---- Integration tests: the real image under QEMU ----

INTEGRATION_OBJECTS := $(patsubst %.c,$(BUILD)/host/%.o,$(wildcard tests/integration/*.c))
$(INTEGRATION_OBJECTS): | $(call needs,test)

$(BUILD)/tests/integration/run: $(INTEGRATION_OBJECTS) $(TOOL_OBJECTS) \
		$(BUILD)/host/tools/balloonctl/course.o $(BUILD)/host/tests/schema/schema.o \
		$(BUILD)/host/kernel/lib/escape.o $(BUILD)/host/kernel/stress_page.o $(BUILD)/host/mm/replacement.o
	@mkdir -p $(@D)
	$(call say,LD)$(HOSTCC) -o $@ $^ -ljson-c -lcmocka

# make test-integration TESTS='*floor*' runs those whose name matches; test-slow
# those that do more if there is time: each hot-plug 20 times, all of the floods.
# test-hypervisor: all of them that can be, inside the hypervisor for tests.
.PHONY: test-integration test-slow test-hypervisor
test-integration test-slow test-hypervisor: $(KERNEL_IMAGES) $(BUILD)/hypervisor.elf \
		$(BUILD)/tests/integration/run $(BUILD)/tools/balloonctl | $(call needs,qemu firmware)

test-integration:
	@$(alone) tests/sum_up.sh $@ $(BUILD)/log/$@ $(BUILD)/tests/integration/run \
		$(PATTERNS)

test-slow:
	@SLOW=1 $(alone) tests/sum_up.sh $@ $(BUILD)/log/$@ $(BUILD)/tests/integration/run --slow

test-hypervisor:
	@INSIDE=plain $(alone) tests/sum_up.sh $@ $(BUILD)/log/$@ $(BUILD)/tests/integration/run \
		$(PATTERNS)

# ---- The matrix: machines, devices, rings and features, under QEMU ----

MATRIX_OBJECTS := $(patsubst %.c,$(BUILD)/host/%.o,$(wildcard tests/matrix/*.c))

$(BUILD)/tests/matrix/run: $(MATRIX_OBJECTS) $(TOOL_OBJECTS)
	@mkdir -p $(@D)
	$(call say,LD)$(HOSTCC) -o $@ $^ -ljson-c

# make matrix-all CELLS='*packed*' runs those whose name matches.
.PHONY: matrix matrix-all
matrix matrix-all: $(BUILD)/aerostat.elf $(BUILD)/tests/matrix/run \
		| $(call needs,qemu firmware)

matrix:
	@$(alone) $(BUILD)/tests/matrix/run $(if $(CELLS),'$(CELLS)')

matrix-all:
	@$(alone) $(BUILD)/tests/matrix/run --all $(if $(CELLS),'$(CELLS)')

# ---- Later QEMUs, out of Debian's later suites: what they do otherwise hides faults ----

QEMU_NEXT := $(BUILD)/qemu-next

.PHONY: qemu-next test-qemu-next check-qemu-next
qemu-next:
	@tools/qemu_next.sh $(QEMU_NEXT)

# What cannot be had is no failure, but is in the last lines of test-all.
test-qemu-next: $(KERNEL_IMAGES) $(BUILD)/hypervisor.elf $(BUILD)/tests/integration/run $(BUILD)/tests/matrix/run \
		$(BUILD)/tools/balloonctl | $(call needs,qemu firmware)
	@tests/qemu_next/with_each.sh $(BUILD)

check-qemu-next:
	@tests/qemu_next/run.sh

# ---- The soak: what needs many repetitions, with QEMUs that answer later ----
#
# Guests that are stopped in the middle of a wait, three times for each kind of wait and
# each QEMU; make test-soak COUNT=1000 so many stops, and random targets with moves
# among them. WAITS='*flate' for some of the kinds.

SOAK_OBJECTS := $(patsubst %.c,$(BUILD)/host/%.o,$(wildcard tests/soak/*.c))
$(SOAK_OBJECTS): | $(call needs,tools)

$(BUILD)/tests/soak/run: $(SOAK_OBJECTS) $(TOOL_OBJECTS)
	@mkdir -p $(@D)
	$(call say,LD)$(HOSTCC) -o $@ $^ -ljson-c -lelf -pthread

COUNT ?= 1000

.PHONY: test-stops test-soak
test-stops test-soak: $(BUILD)/aerostat.elf $(BUILD)/tests/soak/run | $(call needs,qemu firmware)
test-soak: $(BUILD)/tests/xen/run $(KERNEL_IMAGES) $(BUILD)/tests/integration/run

test-stops:
	@tests/soak/run.sh --each $(BUILD) 3 0 $(if $(WAITS),'$(WAITS)')

RUNS ?= $(shell echo $$(($(COUNT) / 100)))
XENS ?= $(shell echo $$(($(COUNT) / 50)))

# Then so many boots of each kind on Xen with each QEMU, and `make test` so many times on a busy
# machine: XENS=0 RUNS=0 for none. And PRESSURES times each situation of memory pressure, and five
# times as many kills.
PRESSURES ?= $(shell echo $$(($(COUNT) / 50)))

test-soak:
	@status=0; PRESSURES=$(PRESSURES) $(BUILD)/tests/integration/run '*situation_is*' \
		'*largest_ends*' || status=1; \
	tests/soak/run.sh $(BUILD) $(COUNT) $$((5 * $(COUNT))) $(if $(WAITS),'$(WAITS)') || \
		status=1; \
	$(alone) tests/xen/soak.sh $(BUILD) $(XENS) || status=1; \
	MAKE='$(MAKE)' BUILD='$(BUILD)' tests/under_load.sh $(RUNS) || status=1; exit $$status

# ---- Real Xen: Debian's, unpacked below $(BUILD)/xen, in an unmodified QEMU ----
#
# test-xen: Aerostat as its first domain. test-xen-next: the same with each later QEMU.
# test-xen-dom0: two Aerostat domains under Linux and xl; SEED=7 for the same targets again, and
# BOOTS=20 for so many boots of one that begins with a part of its memory, ICOUNT=3 for a machine
# whose time is that of its instructions, 2^3 ns each.
# test-xen-linux: an Aerostat domain and a Linux one. On demand.

XEN_OBJECTS := $(patsubst %.c,$(BUILD)/host/%.o,$(wildcard tests/xen/*.c))
$(XEN_OBJECTS): | $(call needs,test)

$(BUILD)/tests/xen/run: $(XEN_OBJECTS) $(TOOL_OBJECTS)
	@mkdir -p $(@D)
	$(call say,LD)$(HOSTCC) -o $@ $^ -ljson-c -lcmocka

.PHONY: test-xen test-xen-next test-xen-dom0 test-xen-linux
test-xen test-xen-next test-xen-dom0 test-xen-linux: $(BUILD)/aerostat.elf $(BUILD)/tests/xen/run \
		| $(call needs,qemu)

test-xen:
	@$(alone) tests/xen/run.sh $@ $(BUILD) first

test-xen-next:
	@tools/qemu_next.sh $(QEMU_NEXT) || :
	@$(alone) tests/xen/run.sh $@ $(BUILD) first $(QEMU_NEXT)/summary

test-xen-dom0:
	@$(alone) tests/xen/run.sh $@ $(BUILD) domains

test-xen-linux:
	@$(alone) tests/xen/run.sh $@ $(BUILD) witness

# ---- Linux on the hypervisor for tests, whose drivers bear witness of it ----

WITNESS_OBJECTS := $(patsubst %.c,$(BUILD)/host/%.o,$(wildcard tests/witness/*.c))
$(WITNESS_OBJECTS): | $(call needs,test)

$(BUILD)/tests/witness/run: $(WITNESS_OBJECTS) $(BUILD)/host/tests/bench/arguments.o $(TOOL_OBJECTS)
	@mkdir -p $(@D)
	$(call say,LD)$(HOSTCC) -o $@ $^ -ljson-c -lcmocka

.PHONY: test-hypervisor-linux
test-hypervisor-linux: $(BUILD)/aerostat.elf $(BUILD)/hypervisor.elf $(BUILD)/tests/witness/run \
		| $(call needs,qemu witness)
	@$(alone) tests/witness/run.sh $@ $(BUILD)

# ---- QEMU's own balloon on Hyper-V, on the KVM of a Linux inside QEMU ----

NESTED_OBJECTS := $(patsubst %.c,$(BUILD)/host/%.o,$(wildcard tests/nested/*.c))
$(NESTED_OBJECTS): | $(call needs,test)

$(BUILD)/tests/nested/run: $(NESTED_OBJECTS) $(BUILD)/host/tests/bench/arguments.o $(TOOL_OBJECTS)
	@mkdir -p $(@D)
	$(call say,LD)$(HOSTCC) -o $@ $^ -ljson-c -lcmocka

.PHONY: test-hypervisor-nested
test-hypervisor-nested: $(BUILD)/aerostat.elf $(BUILD)/tests/nested/run | $(call needs,qemu witness)
	@$(alone) tests/nested/run.sh $@ $(BUILD)

# ---- libvirt: `make virsh-demo` with what there is of it ----

.PHONY: test-libvirt
test-libvirt: $(if $(LIBVIRT),$(BUILD)/aerostat.elf $(BUILD)/libvirt/balloonctl)
	@if [ -n '$(LIBVIRT)' ] && command -v virsh >/dev/null; then \
		$(alone) tools/libvirt/demo.sh; \
	else echo "test-libvirt: not run, as libvirt is not installed"; fi

# ---- Debian: whether the two commands do all the set-up on a fresh one ----
#
# make test-debian RELEASE=trixie; without RELEASE it is the one of 12 and 13
# that this machine does not run. test-debian-short is the part of test-all,
# which is content where no bootstrap can be had.

.PHONY: test-debian test-debian-short
test-debian test-debian-short: | $(call needs,debian)
	@mkdir -p $(BUILD)
	@$(alone) tests/debian/run.sh $(OR_SKIP) $(BUILD)/debian run run-uefi $(LAST_GOAL)

test-debian: LAST_GOAL := test
test-debian-short: LAST_GOAL := test-unit
test-debian-short: OR_SKIP := --or-skip

# ---- The documents: samples against the real thing, links ----

DOCS_OBJECTS := $(patsubst %.c,$(BUILD)/host/%.o,$(wildcard tests/docs/*.c))

$(BUILD)/tests/docs/run: $(DOCS_OBJECTS) $(TOOL_OBJECTS)
	@mkdir -p $(@D)
	$(call say,LD)$(HOSTCC) -o $@ $^ -ljson-c

# make test-docs PAGES=docs/console.md: some pages only. docs-samples rewrites the
# samples from what is really printed; look at the difference.
.PHONY: test-docs docs-samples
test-docs docs-samples: $(BUILD)/aerostat.elf $(BUILD)/hypervisor.elf $(BUILD)/tests/docs/run \
		$(BUILD)/tools/balloonctl $(BUILD)/tests/porting | $(call needs,qemu)

test-docs:
	@status=0; tests/docs/check_pages.sh || status=1; \
	$(alone) $(BUILD)/tests/docs/run $(PAGES) || status=1; exit $$status

docs-samples:
	@$(alone) $(BUILD)/tests/docs/run --update $(PAGES)

# ---- What is shipped beside balloonctl: its dashboard, alerts and unit ----

.PHONY: check-contrib
check-contrib: $(BUILD)/tests/tools/balloonctl/export
	@tests/contrib/run.sh $(BUILD)

# ---- Scripts, manual pages, completion, installation ----

.PHONY: check-shell
check-shell: $(BUILD)/tools/balloonctl | $(call needs,shell)
	@tests/shell/run.sh
	@tests/shell/completion.sh $(BUILD)
	@tests/shell/install.sh $(BUILD)

# ---- Releases: the same bytes twice, whole, and usable ----

.PHONY: check-dist check-deb
check-dist: | $(call needs,kernel uefi host tools dist release qemu firmware)
	@$(alone) tests/release/dist.sh $(BUILD)

check-deb: deb
	@tests/release/deb.sh $(BUILD)

# ---- Rules for the tree itself ----

.PHONY: check-layers check-style check-conformance

# Calls are read from the guest's objects; tests/style/layers.sh plants what it must find.
check-layers: $(GUEST_OBJECTS)
	@BUILD='$(BUILD)' tools/check_layers.sh
	@tests/style/layers.sh

check-style:
	@tests/style/run.sh
	@MAKE='$(MAKE)' tests/style/wanted.sh
	@tools/check_style.sh

check-conformance:
	@tools/check_conformance.sh

# ---- All of them ----
#
# libvirt is not installed for `make test`, but used where it is; virsh-demo, a
# part of test-all, installs it. The last lines say what ran and what failed.

.PHONY: test test-all
test:
	@MAKE='$(MAKE)' BUILD='$(BUILD)' tests/parts.sh $@ all test-unit test-integration test-docs \
		check-layers check-style check-conformance check-qemu-next check-mutants matrix \
		test-libvirt test-xen fuzz-short

test-all:
	@MAKE='$(MAKE)' BUILD='$(BUILD)' tests/parts.sh $@ matrix-all test-slow test-hypervisor \
		test-hypervisor-linux test-qemu-next test-hypervisor-nested test-xen-next test-xen-dom0 \
		test-stops virsh-demo coverage mutants fuzz model test-debian-short check-contrib \
		check-shell check-dist check-deb
